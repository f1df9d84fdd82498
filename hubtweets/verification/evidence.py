"""The files of a bot against its record: weights, pictures, samples, scores. Nothing here loads a model."""

import io
import json
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import regex
from PIL import Image

from hubtweets import __version__, copies, pictures
from hubtweets.posts import hash_files
from hubtweets.record import Metrics, RunRecord, Score
from hubtweets.verification.claims import Bot, Verdict

PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".npy", ".npz", ".h5", ".keras", ".msgpack")
WIDEST = 2000  # pixels of a picture that is looked at
SMOOTH = 32  # levels of a colour by which machines may smooth an edge differently
ANOTHER = 0.0002  # share of the pixels that differ by more, from which a picture is another one
BUNDLED = regex.compile(r"[\p{Latin}\p{Greek}\p{Cyrillic}\p{Arabic}\p{Hebrew}\p{Common}\p{Inherited}]*")  # drawn with fonts of the package
LARGEST_HEADER = 64 * 2**20  # bytes, of a safetensors file


def check_files(bot: Bot) -> Verdict:
    """Every file that the record lists is there as it lists it; others are named."""
    files = bot.files()
    for file in bot.record.files:
        path = files.get(file.path)
        if path is None:
            return False, f"{file.path} is missing"
        if (path.stat().st_size, hash_files([path])) != (file.size, file.sha256):
            return False, f"{file.path} is not the file that was pushed (its SHA-256 is another one)"
    others = files.keys() - {file.path for file in bot.record.files} - {"README.md", "hubtweets.json", ".gitattributes"}
    note = f"; not hubtweets': {', '.join(sorted(others)[:5])}{', …' if len(others) > 5 else ''}" if others else ""
    return True, f"all {len(bot.record.files)} that were pushed are as they were{note}"


def check_weights(bot: Bot) -> Verdict:
    """The weights are safetensors, and no file is a pickle, which would run code."""
    files = bot.files()
    if pickled := [path for path, file in files.items() if path.lower().endswith(PICKLED) or is_pickle(file)]:
        return False, f"{pickled[0]} is or holds a pickle, which runs code when it is loaded"
    weights = [file for path, file in files.items() if path.endswith(".safetensors")]
    if not weights:
        return False, "there are no weights as safetensors"
    return True, f"{sum(map(parameters, weights)):,} parameters, all in safetensors; nothing is pickled"


def is_pickle(file: Path) -> bool:
    """Tell a pickle, bare or in a zip as torch saves it, by its content."""
    with file.open("rb") as opened:
        start = opened.read(2)
    if start == b"PK" and zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as zipped:
            return any(name.endswith(".pkl") for name in zipped.namelist())
    return start in {bytes([0x80, protocol]) for protocol in range(2, 6)}


def parameters(file: Path) -> int:
    """Return how many numbers a safetensors file holds; raise ValueError for what is none."""
    with file.open("rb") as opened:
        size = int.from_bytes(opened.read(8), "little")
        if size > LARGEST_HEADER:
            raise ValueError(f"{file.name} is no safetensors file")
        header = json.loads(opened.read(size))
    return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")


def check_scores(bot: Bot) -> Verdict:
    """Bits per byte and perplexity, which are two ways to say the same, agree, and the authors' make up the whole."""
    metrics = bot.record.metrics
    assert metrics
    for whose, scored in (("all", metrics), *((f"author {number}", one) for number, one in enumerate(bot.record.metrics_by_author, 1))):
        for name, score in (("base", scored.base), ("tuned", scored.tuned)):
            if not math.isclose(nats(score), score.tokens * math.log(score.perplexity), rel_tol=1e-6, abs_tol=1e-9):
                return False, f"{score.bits_per_byte:g} bits per byte and a perplexity of {score.perplexity:g} don't agree ({name}, {whose})"
    for name in ("base", "tuned"):
        whole, parts = getattr(metrics, name), [getattr(one, name) for one in bot.record.metrics_by_author]
        if not math.isclose(nats(whole), sum(map(nats, parts)), rel_tol=1e-6) or whole.bytes != sum(part.bytes for part in parts):
            return False, f"the authors' scores don't make up the whole ({name})"
    environment, evaluations = bot.record.environment, bot.record.evaluations
    assert environment
    best = min(evaluations, key=lambda one: one.bits_per_byte, default=None)
    if best and environment.published_step not in [one.step for one in evaluations if one.bits_per_byte == best.bits_per_byte]:
        return False, f"step {environment.published_step:,} is published, but step {best.step:,} scored best"
    return True, f"{in_words(metrics)}; they agree with each other"


def nats(score: Score) -> float:
    return score.bits_per_byte * math.log(2) * score.bytes


def in_words(metrics: Metrics) -> str:
    return f"{metrics.tuned.bits_per_byte:.3f} bits per byte, {metrics.base.bits_per_byte:.3f} of the untouched base"


def check_thumbnail(bot: Bot) -> Verdict:
    """predictions.png shows the picked samples of the record."""
    return compare_pictures(bot, ["predictions.png"])


def check_figures(bot: Bot) -> Verdict:
    """pipeline.png and loss.png show the record's numbers."""
    return compare_pictures(bot, ["pipeline.png", *(["loss.png"] if bot.record.history else [])])


def compare_pictures(bot: Bot, names: list[str]) -> Verdict:
    if bot.record.hubtweets_version != __version__:
        return None, f"drawn by another hubtweets; type: pip install hubtweets=={bot.record.hubtweets_version}"
    files = bot.files()
    for avatar in (profile.avatar for profile in bot.record.profiles if profile.avatar):
        if avatar not in files or pixels(files[avatar].read_bytes()).shape != (pictures.AVATAR_PIXELS, pictures.AVATAR_PIXELS, 3):
            return False, f"{avatar} is no avatar of {pictures.AVATAR_PIXELS} pixels"
    draw = {"predictions.png": pictures.predictions, "pipeline.png": pictures.pipeline, "loss.png": pictures.loss}
    for name in names:
        if name not in files:
            return False, f"{name} is missing"
        drawn, there = pixels(draw[name](bot.record, bot.folder)), pixels(files[name].read_bytes())
        if drawn.shape != there.shape:
            return False, f"{name} has {there.shape[1]} x {there.shape[0]} pixels, not {drawn.shape[1]} x {drawn.shape[0]}"
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
        yield from (f"{one.prompt} {one.text}" for one in record.samples.shown())
    if record.base:
        yield record.base.id


def pixels(picture: bytes) -> np.ndarray:
    """Return a PNG's colours, [height, width, 3]; raise ValueError for what is none, or too large."""
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
    if (audit.samples, audit.copies) != (len(copied), sum(copied)):
        return False, f"{audit.copies} of {audit.samples} are said to be copies; the samples make it {sum(copied)} of {len(copied)}"
    if not copies.MANY <= audit.threshold <= 1 or not 0 <= audit.held_out_copies <= audit.held_out:
        return (
            False,
            f"a threshold of {audit.threshold:g} with {audit.held_out_copies} of {audit.held_out} held-out posts is none that hubtweets sets",
        )
    for number, (one, copy) in enumerate(zip(samples.samples, copied, strict=True), 1):
        if (one.text is None) != copy or not (one.text or one.prompt).startswith(one.prompt):
            return False, f"number {number} is not a text from its prompt"
    return True, f"{audit.copies} of {audit.samples} copy; {len(samples.picked)} that don't are shown"


def check_audit(bot: Bot) -> Verdict:
    """The audit, done again on the recorded samples against the posts, finds the same."""
    samples, audit = bot.record.samples, bot.record.audit
    assert samples and audit
    if bot.posts is None:
        return None, f"the posts are not at hand (looked for in {bot.run_folder})"
    posts, held_out = ([text for texts in side.values() for text in texts] for side in bot.posts)
    known = [one for one in samples.samples if one.text is not None]
    again, measured = copies.audit([one.text or "" for one in known], held_out, posts)
    for one, copied in zip(known, measured, strict=True):
        if copied != one.copied:
            found, said = (f"{it.share:.0%}, {it.words} words, {it.characters} characters" for it in (copied, one.copied))
            return False, f"{found} of it in the posts, not {said}: {one.text!r}"
    floor, recorded = ((one.held_out, one.held_out_copies) for one in (again, audit))
    if floor != recorded or not math.isclose(again.threshold, audit.threshold, rel_tol=1e-6):
        return (
            False,
            f"{floor[1]} of {floor[0]} held-out posts copy at {again.threshold:.0%}, not {recorded[1]} of {recorded[0]} at {audit.threshold:.0%}",
        )
    withheld = len(samples.samples) - len(known)
    return True, f"the same again for {len(known)} samples and {floor[0]} held-out posts" + (f"; withheld texts: {withheld}" if withheld else "")
