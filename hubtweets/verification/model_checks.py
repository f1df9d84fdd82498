"""What a bot's weights do.

They could have written its samples, its snippets run, and its scores come out again. The files are
untrusted: weights are loaded as the embedded Hub does it, without any code of theirs, and a card's
Python is run only if it is what this version writes, with nothing of the record in it but strings
and numbers.
"""

import math
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

from huggingface_hub.utils import validate_repo_id
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hubtweets.card import model_card, snippets
from hubtweets.errors import HubtweetsError
from hubtweets.evaluation import bits_per_byte, sampling
from hubtweets.models import base
from hubtweets.models.hardware import get_device_name
from hubtweets.models.inspection import ADAPTER_CONFIG
from hubtweets.models.loading import load_base
from hubtweets.models.untrusted import write_model_folder
from hubtweets.posts.pii.scrub import scrub
from hubtweets.progress import track
from hubtweets.record.run_record import Base, RunRecord
from hubtweets.record.samples import Sample, Samples
from hubtweets.verification.claims import Bot, Verdict
from hubtweets.verification.readme_checks import lines_of
from hubtweets.verification.visible import UnclearCardError, shows_code

# Share of the samples whose text does not tell in which tokens it was written: 4 % of the example's
# bot, 15 % of @digitalgov's.
MAX_STRANGE = 0.3
MAX_DRAWN = 5000  # samples; hubtweets draws 200 unless it is told otherwise
BROKEN = "\ufffd"  # what a tokenizer makes of bytes that are no character
TOLERANCE = 0.01  # of the bits per byte: other hardware and other kernels round otherwise


def check_writer(bot: Bot) -> Verdict:
    """The recorded samples are what these weights write.

    On the same kind of machine they are drawn again. Elsewhere they are within what the weights can
    write.
    """
    samples = bot.record.samples
    assert samples and bot.record.environment
    if len(samples.samples) > MAX_DRAWN:
        return (
            None,
            f"there are {len(samples.samples):,} samples, "
            f"and {MAX_DRAWN:,} are drawn again at most",
        )
    try:
        model, tokenizer = bot.model
    except HubtweetsError as error:
        return cannot_load(bot, error)
    if (
        not (bot.folder / ADAPTER_CONFIG).exists()
        and model.num_parameters() != bot.record.environment.parameters
    ):
        return (
            False,
            f"the model has {model.num_parameters():,} parameters, "
            f"and its files {bot.record.environment.parameters:,}: some are missing",
        )
    if not is_same_machine(bot.record, model):
        return judge_texts(samples, model, tokenizer)
    drawn = compare_drawn(samples, draw_again(model, tokenizer, samples))
    if drawn[0] is None and (told := judge_texts(samples, model, tokenizer))[0] is False:
        return told
    return drawn


def judge_texts(
    samples: Samples, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast
) -> Verdict:
    """Judge samples that can't be drawn again by whether each of their tokens could be drawn.

    Each of the samples that are shown must pass. A few of the others may not, because a text can be
    written in other tokens than its tokenizer would. A text with a broken character certainly is,
    so nothing can be told of it.
    """
    known = {number: one for number, one in enumerate(samples.samples, 1) if one.text is not None}
    strange = [
        number
        for number, one in known.items()
        if not sampling.can_generate(model, tokenizer, one.prompt, one.text or "")
    ]
    if shown := [number for number in samples.picked if number in strange]:
        return False, f"these weights don't write {samples.samples[shown[0] - 1].text!r}"
    unknown = [number for number in strange if BROKEN in (known[number].text or "")]
    strange = [number for number in strange if number not in unknown]
    if len(strange) > MAX_STRANGE * len(known):
        return (
            False,
            f"these weights don't write {len(strange)} of {len(known)} samples, "
            f"such as {known[strange[0]].text!r}",
        )
    passed = len(known) - len(strange) - len(unknown)
    if len(unknown) > MAX_STRANGE * len(known):
        return (
            None,
            f"these weights can have written {passed} of {len(known)} samples; "
            f"{len(unknown)} have broken characters, of which nothing can be told",
        )
    return (
        True,
        f"these weights can have written {passed} of {len(known)} samples; "
        "they are drawn again only on the machine they are from",
    )


def is_same_machine(record: RunRecord, model: PreTrainedModel) -> bool:
    """Tell whether this machine and its libraries are of the kind that a record names.

    On such a machine, a seed draws the same samples.
    """
    assert record.environment
    here = {name: version(name) for name in ("torch", "transformers")}
    same = all(record.environment.versions.get(name) == found for name, found in here.items())
    return same and record.environment.device == get_device_name(model.device)


def draw_again(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, samples: Samples
) -> Iterator[tuple[Sample, str]]:
    """Yield each recorded sample with what its seed draws now, masked as `sample` does."""
    for number, (prompt, group) in enumerate(groupby(samples.samples, key=lambda one: one.prompt)):
        recorded = list(group)
        drawn = sampling.generate_stream(
            model, tokenizer, prompt, len(recorded), (samples.seed + number) % 2**32
        )
        yield from zip(recorded, (scrub(text)[0] for text in drawn), strict=True)


def compare_drawn(samples: Samples, pairs: Iterable[tuple[Sample, str]]) -> Verdict:
    """Judge what was drawn again.

    It is all the same, a few are others (a kernel may round otherwise), or it is another set.
    """
    known, other = 0, []
    for number, (recorded, drawn) in enumerate(
        track(pairs, "samples drawn again", len(samples.samples)), 1
    ):
        known += recorded.text is not None
        if recorded.text not in (None, drawn):
            other.append(number)
    if len(other) > known / 2:
        return (
            False,
            f"drawn again from seed {samples.seed}, {len(other)} of {known} samples are others, "
            f"such as {samples.samples[other[0] - 1].text!r}",
        )
    if other:
        return (
            None,
            f"drawn again from seed {samples.seed}, {len(other)} of {known} samples "
            f"came out otherwise: number {', '.join(map(str, other[:5]))}",
        )
    return True, f"drawn again from seed {samples.seed}, all {known} samples are the same"


def cannot_load(bot: Bot, error: HubtweetsError) -> Verdict:
    """Judge weights that can't be loaded: of an adapter it may be the base that is missing here."""
    return (None if (bot.folder / ADAPTER_CONFIG).exists() else False), str(error)


def check_snippets(bot: Bot) -> Verdict:
    """The Python on README.md, as a reader sees it, runs."""
    target = bot.record.target
    assert target
    rendered = bot.rendered
    ours = snippets.find_snippets(rendered)
    if not ours:
        return None, "there is no Python on the card"
    try:
        lines = lines_of(bot.readme, rendered)
    except UnclearCardError as error:
        return None, f"README.md {error}; its Python is not run"
    if not all(shows_code(lines, block) for block in ours):
        return (
            None,
            "the Python on README.md is not what this version of hubtweets writes, and is not run",
        )
    validate_repo_id(target.repo_id)
    if [snippets.strip_constants(block) for block in ours] != [
        snippets.strip_constants(block)
        for block in snippets.find_snippets(model_card.render(tame(bot.record)))
    ]:
        return False, "the record puts Python of its own on the card"
    with tempfile.TemporaryDirectory() as name:
        write_model_folder(bot.files(), Path(name))
        try:
            printed = snippets.run_snippets(ours, target.repo_id, Path(name))
        except HubtweetsError as error:
            return (None if (bot.folder / ADAPTER_CONFIG).exists() else False), str(error)
    others = len(snippets.find_snippets(bot.readme)) - len(ours)
    return True, f"Python snippets that run: {len(printed)}" + (
        f"; {others} of the owner's not run" if others > 0 else ""
    )


def tame(record: RunRecord) -> RunRecord:
    """Return a record with trusted names and texts in place of its own."""
    assert record.target and record.base and record.samples
    samples = tuple(
        replace(one, prompt="A", text=None if one.text is None else "A B")
        for one in record.samples.samples
    )
    profiles = tuple(replace(profile, handle="owner", name="Owner") for profile in record.profiles)
    return replace(
        record,
        handle="owner",
        target=replace(record.target, repo_id="owner/bot"),
        base=replace(record.base, id="owner/base", revision="0" * 40),
        profiles=profiles,
        samples=replace(record.samples, samples=samples),
    )


def check_dataset(bot: Bot) -> Verdict:
    """The posts are as many as the record says, and of the same authors.

    The card's rows are among those that were trained on.
    """
    info = bot.record.dataset
    assert info
    if bot.posts is None:
        return None, f"the posts are not at hand (looked for in {bot.run_folder})"
    train, held_out = (sum(map(len, side.values())) for side in bot.posts)
    if (train, held_out) != (info.train_posts, info.validation_posts):
        return (
            False,
            f"{train:,} and {held_out:,} posts, "
            f"not {info.train_posts:,} and {info.validation_posts:,}",
        )
    if strange := [
        row.text for row in info.rows if row.text not in bot.posts[0].get(row.author, [])
    ]:
        return False, f"{strange[0]!r} is none of the posts"
    return True, f"{train:,} posts were trained on, {held_out:,} held out"


def check_evaluation(bot: Bot) -> Verdict:
    """The held-out posts, scored again, give the recorded bits per byte within TOLERANCE.

    That is so for the tuned model and for the base.
    """
    metrics, recorded, environment = bot.record.metrics, bot.record.base, bot.record.environment
    assert metrics and recorded and environment
    if bot.posts is None:
        return None, f"the held-out posts are not at hand (looked for in {bot.run_folder})"
    texts = list(bot.posts[1].values())
    try:
        tuned = bits_per_byte.evaluate(*bot.model, texts)[0].bits_per_byte
    except HubtweetsError as error:
        return cannot_load(bot, error)
    if not math.isclose(tuned, metrics.tuned.bits_per_byte, rel_tol=TOLERANCE):
        return False, f"{tuned:.4f} bits per byte, not {metrics.tuned.bits_per_byte:.4f}"
    try:
        before, parameters = score_base(recorded, texts)
    except (HubtweetsError, OSError) as error:
        return None, f"{tuned:.4f} bits per byte again, but the base can't be had: {error}"
    if not math.isclose(before, metrics.base.bits_per_byte, rel_tol=TOLERANCE):
        return (
            False,
            f"{before:.4f} bits per byte of the base, not {metrics.base.bits_per_byte:.4f}",
        )
    if not (bot.folder / ADAPTER_CONFIG).exists() and parameters != environment.parameters:
        return (
            False,
            f"the base has {parameters:,} parameters, and these weights {environment.parameters:,}",
        )
    return True, f"{tuned:.4f} bits per byte again, {before:.4f} of the untouched base"


def score_base(recorded: Base, texts: list[list[str]]) -> tuple[float, int]:
    """Return the bits per byte and the parameters of the base that a record names.

    The base is from the Hub or from this machine. Raises HubtweetsError if it can't be had at that
    revision.
    """
    if not recorded.on_hub and recorded.id != "tiny" and not Path(recorded.id).is_dir():
        raise HubtweetsError(
            f"{recorded.id} is a folder on the machine where it was trained; lay it into this one"
        )
    found, location = base.resolve_base(recorded.id)
    if found.on_hub != recorded.on_hub or (
        not found.on_hub and found.revision != recorded.revision
    ):
        raise HubtweetsError(f"{recorded.id} here is another one")
    if not found.on_hub:
        return score(*load_base(found, location), texts)
    from huggingface_hub import snapshot_download

    folder = Path(
        snapshot_download(
            recorded.id,
            revision=recorded.revision,
            allow_patterns=["*.json", "*.safetensors", "*.txt", "tokenizer.model"],
        )
    )
    with tempfile.TemporaryDirectory() as name:  # a record may name any base
        write_model_folder(
            {path.name: path.resolve() for path in folder.iterdir() if path.is_file()}, Path(name)
        )
        return score(*load_base(replace(recorded, on_hub=False), name), texts)


def score(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, texts: list[list[str]]
) -> tuple[float, int]:
    return bits_per_byte.evaluate(model, tokenizer, texts)[0].bits_per_byte, model.num_parameters()
