"""The files of a bot against its record: hashes, pictures, samples. Nothing here loads a model."""

import io
import math
import unicodedata
from collections.abc import Iterable, Iterator

import numpy as np
import regex
from PIL import Image

from hubtweets import __version__
from hubtweets.card import figures
from hubtweets.card.avatar import AVATAR_SIDE_PIXELS
from hubtweets.card.loss_curve import draw_loss
from hubtweets.evaluation import memorization
from hubtweets.files import hash_files
from hubtweets.record.run_record import RunRecord
from hubtweets.record.samples import (
    MAX_COPY_EXCESS,
    MIN_RUN_CHARS,
    MIN_WHOLE_CHARS,
    MemorizationAudit,
    Sample,
    Samples,
)
from hubtweets.verification.claims import Bot, Verdict

WIDEST = 2000  # pixels of a picture that is looked at
SMOOTH = 32  # levels of a colour by which machines may smooth an edge differently
ANOTHER = 0.0002  # share of the pixels that differ by more, from which a picture is another one
# Texts that are drawn with fonts of the package.
BUNDLED = regex.compile(
    r"[\p{Latin}\p{Greek}\p{Cyrillic}\p{Arabic}\p{Hebrew}\p{Common}\p{Inherited}]*"
)


# Files beside the weights that transformers, peft, sentence-transformers or vLLM load by their
# name, and weights.
LOADED = regex.compile(
    r"[^/]*(adapter|config|index|map|modules|params|processor|template|token|vocab)[^/]*"
    r"\.(json|model)|[^/]*\.(jinja|model)|merges\.txt|vocab\.txt"
    r"|additional_chat_templates/.*|.*\.safetensors",
    regex.IGNORECASE,
)


def check_files(bot: Bot) -> Verdict:
    """Every file that the record lists is there as it lists it.

    Others are named, and none of them is loaded with the weights.
    """
    files = bot.files()
    if twice := find_doubles(files):
        return False, f"{twice[0]} and {twice[1]} are one file where case does not count"
    for file in bot.record.files:
        path = files.get(file.path)
        if path is None:
            return False, f"{file.path} is missing"
        if (path.stat().st_size, hash_files([path])) != (file.size, file.sha256):
            return (
                False,
                f"{file.path} is not the file that was pushed (its SHA-256 is another one)",
            )
    others = (
        files.keys()
        - {file.path for file in bot.record.files}
        - {"README.md", "hubtweets.json", ".gitattributes"}
    )
    if loaded := next((path for path in sorted(others) if LOADED.fullmatch(path)), None):
        return False, f"{loaded} is not hubtweets', and is loaded with the weights"
    if weights := next((path for path in sorted(others) if path.lower().endswith(".gguf")), None):
        return None, f"{weights} is not hubtweets', and its weights can't be compared"
    note = (
        f"; not hubtweets': {', '.join(sorted(others)[:5])}{', …' if len(others) > 5 else ''}"
        if others
        else ""
    )
    return True, f"all {len(bot.record.files)} that were pushed are as they were{note}"


def find_doubles(paths: Iterable[str]) -> tuple[str, str] | None:
    """Return two paths that are the same on some disks, or None.

    Such a disk does not tell case or the forms of a character apart.
    """
    seen: dict[str, str] = {}
    for path in paths:
        other = seen.setdefault(unicodedata.normalize("NFKC", path).casefold(), path)
        if other != path:
            return other, path
    return None


def check_thumbnail(bot: Bot) -> Verdict:
    """predictions.png shows the picked samples of the record."""
    return compare_pictures(bot, ["predictions.png"])


def check_figures(bot: Bot) -> Verdict:
    """pipeline.png and loss.png show the record's numbers."""
    return compare_pictures(bot, ["pipeline.png", *(["loss.png"] if bot.record.history else [])])


def compare_pictures(bot: Bot, names: list[str]) -> Verdict:
    if bot.record.hubtweets_version != __version__:
        return (
            None,
            "drawn by another hubtweets; "
            f"type: pip install hubtweets=={bot.record.hubtweets_version}",
        )
    files = bot.files()
    for avatar in (profile.avatar for profile in bot.record.profiles if profile.avatar):
        if avatar not in files or pixels(files[avatar].read_bytes()).shape != (
            AVATAR_SIDE_PIXELS,
            AVATAR_SIDE_PIXELS,
            3,
        ):
            return False, f"{avatar} is no avatar of {AVATAR_SIDE_PIXELS} pixels"
    draw = {
        "predictions.png": figures.draw_thumbnail,
        "pipeline.png": figures.draw_pipeline,
        "loss.png": draw_loss,
    }
    for name in names:
        if name not in files:
            return False, f"{name} is missing"
        drawn, there = pixels(draw[name](bot.record, bot.folder)), pixels(files[name].read_bytes())
        if drawn.shape != there.shape:
            return (
                False,
                f"{name} has {there.shape[1]} x {there.shape[0]} pixels, "
                f"not {drawn.shape[1]} x {drawn.shape[0]}",
            )
        share = float((abs(drawn - there) > SMOOTH).any(axis=2).mean())
        if share > ANOTHER:
            own = all(BUNDLED.fullmatch(text) for text in drawn_texts(bot.record))
            return (
                (False, f"{share:.2%} of {name} is not what the record draws")
                if own
                else (None, f"{name} has letters of the fonts where it was drawn")
            )
    return True, f"{' and '.join(names)}: what the record draws"


def drawn_texts(record: RunRecord) -> Iterator[str]:
    """Yield the foreign texts on the pictures."""
    yield from (profile.name for profile in record.profiles)
    if record.samples:
        yield from (f"{one.prompt} {one.text}" for one in record.samples.list_picked())
    if record.base:
        yield record.base.id


def pixels(picture: bytes) -> np.ndarray:
    """Return a PNG's colours, [height, width, 3].

    Raises ValueError if it is no PNG, or too large.
    """
    with Image.open(io.BytesIO(picture), formats=("PNG",)) as opened:
        if max(opened.size) > WIDEST:
            raise ValueError(f"a picture of {opened.width} x {opened.height} pixels")
        return np.asarray(opened.convert("RGB"), np.int16)


def check_samples(bot: Bot) -> Verdict:
    """The audit's counts are those of the recorded samples, and none that was picked is a copy."""
    samples, audit = bot.record.samples, bot.record.audit
    assert samples and audit
    copied = [one.copied.share >= audit.threshold for one in samples.samples]
    if any(not 1 <= number <= len(copied) for number in samples.picked):
        return False, f"there are {len(copied)} samples, and number {max(samples.picked)} is picked"
    if wrong := [number for number in samples.picked if copied[number - 1]]:
        return False, f"number {wrong[0]} is picked and is a copy"
    if misplaced := next(find_wrong_picks(samples, audit), None):
        return False, misplaced
    if (audit.samples, audit.copies) != (len(copied), sum(copied)):
        return (
            False,
            f"{audit.copies} of {audit.samples} are said to be copies; "
            f"the samples make it {sum(copied)} of {len(copied)}",
        )
    if (audit.long, audit.whole, audit.margin) != (
        MIN_RUN_CHARS,
        MIN_WHOLE_CHARS,
        MAX_COPY_EXCESS,
    ) and bot.record.hubtweets_version == __version__:
        return (
            False,
            f"copies are measured from {audit.long} and {audit.whole} characters on, "
            f"and hubtweets does so from {MIN_RUN_CHARS} and {MIN_WHOLE_CHARS}",
        )
    if (
        not memorization.MIN_COPY_SHARE <= audit.threshold <= 1
        or not 0 <= audit.held_out_copies <= audit.held_out
    ):
        floor = f"{audit.held_out_copies} of {audit.held_out} held-out posts"
        return False, f"a threshold of {audit.threshold:g} with {floor} is none that hubtweets sets"
    info = bot.record.dataset
    assert info
    step = max(1, -(-info.validation_posts // memorization.MAX_HELD_OUT_POSTS))
    if audit.held_out != -(-info.validation_posts // step):
        return (
            False,
            f"{audit.held_out} held-out posts make the floor, "
            f"and {info.validation_posts} were held out",
        )
    for number, (one, copy) in enumerate(zip(samples.samples, copied, strict=True), 1):
        if (one.text is None) != copy or not (one.text or one.prompt).startswith(one.prompt):
            return False, f"number {number} is not a text from its prompt"
        if not can_be_measured(one):
            return (
                False,
                f"number {number} has {one.copied} of {one.text!r} in the posts, which can't be",
            )
    return (
        True,
        f"{audit.copies} of {audit.samples} copy; {len(samples.picked)} that don't are shown",
    )


def find_wrong_picks(samples: Samples, audit: MemorizationAudit) -> Iterator[str]:
    """Yield why samples can't have been picked.

    A text adds something to its prompt, and hubtweets itself picks one from each prompt at most.
    """
    free = set(audit.list_showable(samples.samples))
    yield from (
        f"number {number} is picked and adds nothing to its prompt"
        for number in samples.picked
        if number not in free
    )
    prompts = [one.prompt for one in samples.list_picked()]
    if not samples.chosen and len(prompts) != len(set(prompts)):
        yield "several samples from one prompt are picked, and the publisher did not choose them"


def can_be_measured(one: Sample) -> bool:
    """Tell whether a text can have its measures.

    None is longer than the text, and a share needs a run that is long enough
    (`memorization.measure_overlap`).
    """
    words, characters, share = one.copied.words, one.copied.characters, one.copied.share
    longest = math.inf if one.text is None else len(memorization.normalize_text(one.text))
    is_whole = 0 <= words <= characters <= longest and 0 <= share <= 1
    # A wide character counts as two.
    return (
        is_whole
        and (characters < MIN_RUN_CHARS or share > 0)
        and (share == 0 or characters >= MIN_WHOLE_CHARS / 2)
    )


def check_audit(bot: Bot) -> Verdict:
    """The audit, done again on the recorded samples against the posts, finds the same."""
    samples, audit = bot.record.samples, bot.record.audit
    assert samples and audit
    if bot.posts is None:
        return None, f"the posts are not at hand (looked for in {bot.run_folder})"
    posts, held_out = ([text for texts in side.values() for text in texts] for side in bot.posts)
    known = [one for one in samples.samples if one.text is not None]
    again, measured = memorization.audit([one.text or "" for one in known], held_out, posts)
    for one, copied in zip(known, measured, strict=True):
        if copied != one.copied:
            found, said = (
                f"{it.share:.0%}, {it.words} words, {it.characters} characters"
                for it in (copied, one.copied)
            )
            return False, f"{found} of it in the posts, not {said}: {one.text!r}"
    floor, recorded = ((one.held_out, one.held_out_copies) for one in (again, audit))
    if floor != recorded or not math.isclose(again.threshold, audit.threshold, rel_tol=1e-6):
        return (
            False,
            f"{floor[1]} of {floor[0]} held-out posts copy at {again.threshold:.0%}, "
            f"not {recorded[1]} of {recorded[0]} at {audit.threshold:.0%}",
        )
    withheld = len(samples.samples) - len(known)
    return True, f"the same again for {len(known)} samples and {floor[0]} held-out posts" + (
        f"; withheld texts: {withheld}" if withheld else ""
    )
