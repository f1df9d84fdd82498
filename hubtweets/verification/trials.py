"""What a bot's weights do: they could have written its samples, its snippets run, and its scores come out again.

The files are anybody's: weights are loaded as the embedded Hub does it, without any code of theirs, and a card's Python is run only where it is what
this version writes, with nothing of the record in it but strings and numbers.
"""

import math
import tempfile
from dataclasses import replace
from pathlib import Path

from huggingface_hub.utils import validate_repo_id

from hubtweets import base, card, evaluation, sampling, snippets
from hubtweets.errors import HubtweetsError
from hubtweets.hub.generation import lay_out
from hubtweets.models import ADAPTER, load
from hubtweets.record import Base, RunRecord
from hubtweets.verification.claims import Bot, Verdict

TOLERANCE = 0.01  # of the bits per byte: other hardware and other kernels round otherwise


def check_writer(bot: Bot) -> Verdict:
    """The picked samples are what these weights can write with their settings."""
    samples = bot.record.samples
    assert samples
    try:
        model, tokenizer = bot.model
    except HubtweetsError as error:
        return cannot_load(bot, error)
    if other := [name for name, value in samples.settings.items() if getattr(model.generation_config, name, None) != value]:
        return False, f"{other[0]} is {getattr(model.generation_config, other[0], None)} in generation_config.json, not {samples.settings[other[0]]}"
    for number in samples.picked:
        one = samples.samples[number - 1]
        if not sampling.could_write(model, tokenizer, one.prompt, one.text or ""):
            return False, f"these weights don't write {one.text!r}"
    return True, f"these weights can have written the {len(samples.picked)} samples that are shown"


def cannot_load(bot: Bot, error: HubtweetsError) -> Verdict:
    """Judge weights that can't be loaded: of an adapter it may be the base that is missing here."""
    return (None if (bot.folder / ADAPTER).exists() else False), str(error)


def check_snippets(bot: Bot) -> Verdict:
    """The Python on README.md runs."""
    target = bot.record.target
    assert target
    ours, shown = snippets.blocks(card.render(bot.record)), snippets.blocks(bot.readme)
    if not ours:
        return None, "there is no Python on the card"
    if any(block not in shown for block in ours):
        return None, "the Python on README.md is not what this version of hubtweets writes, and is not run"
    validate_repo_id(target.repo_id)
    if [snippets.shape(block) for block in ours] != [snippets.shape(block) for block in snippets.blocks(card.render(tame(bot.record)))]:
        return False, "the record puts Python of its own on the card"
    with tempfile.TemporaryDirectory() as name:
        lay_out(bot.files(), Path(name))
        try:
            printed = snippets.run(ours, target.repo_id, Path(name))
        except HubtweetsError as error:
            return (None if (bot.folder / ADAPTER).exists() else False), str(error)
    others = len(shown) - len(ours)
    return True, f"the card's {len(printed)} Python snippets run" + (f"; {others} of the owner's not run" if others else "")


def tame(record: RunRecord) -> RunRecord:
    """Return a record with names and texts that nobody else wrote."""
    assert record.target and record.base and record.samples
    samples = tuple(replace(one, prompt="A", text=None if one.text is None else "A B") for one in record.samples.samples)
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
    """The posts are as many as the record says, of the same authors, and the card's rows are among those that were trained on."""
    info = bot.record.dataset
    assert info
    if bot.posts is None:
        return None, f"the posts are not at hand (looked for in {bot.run_folder})"
    train, held_out = (sum(map(len, side.values())) for side in bot.posts)
    if (train, held_out) != (info.train_posts, info.validation_posts):
        return False, f"{train:,} and {held_out:,} posts, not {info.train_posts:,} and {info.validation_posts:,}"
    if strange := [row.text for row in info.rows if row.text not in bot.posts[0].get(row.author, [])]:
        return False, f"{strange[0]!r} is none of the posts"
    return True, f"{train:,} posts were trained on, {held_out:,} held out"


def check_evaluation(bot: Bot) -> Verdict:
    """The held-out posts, scored again, give the recorded bits per byte within TOLERANCE, of the tuned model and of the base."""
    metrics, recorded = bot.record.metrics, bot.record.base
    assert metrics and recorded
    if bot.posts is None:
        return None, f"the held-out posts are not at hand (looked for in {bot.run_folder})"
    texts = list(bot.posts[1].values())
    try:
        tuned = evaluation.evaluate(*bot.model, texts)[0].bits_per_byte
    except HubtweetsError as error:
        return cannot_load(bot, error)
    if not math.isclose(tuned, metrics.tuned.bits_per_byte, rel_tol=TOLERANCE):
        return False, f"{tuned:.4f} bits per byte, not {metrics.tuned.bits_per_byte:.4f}"
    try:
        before = base_score(recorded, texts)
    except (HubtweetsError, OSError) as error:
        return None, f"{tuned:.4f} bits per byte again, but the base can't be had: {error}"
    if not math.isclose(before, metrics.base.bits_per_byte, rel_tol=TOLERANCE):
        return False, f"{before:.4f} bits per byte of the base, not {metrics.base.bits_per_byte:.4f}"
    return True, f"{tuned:.4f} bits per byte again, {before:.4f} of the untouched base"


def base_score(recorded: Base, texts: list[list[str]]) -> float:
    """Score the base that a record names, from the Hub or from here; raise HubtweetsError where it can't be had at that revision."""
    if not recorded.on_hub and recorded.id != "tiny" and not Path(recorded.id).is_dir():
        raise HubtweetsError(f"{recorded.id} is a folder on the machine where it was trained; lay it into this one")
    found, location = base.resolve(recorded.id)
    if found.on_hub != recorded.on_hub or (not found.on_hub and found.revision != recorded.revision):
        raise HubtweetsError(f"{recorded.id} here is another one")
    if not found.on_hub:
        return evaluation.evaluate(*load(found, location), texts)[0].bits_per_byte
    from huggingface_hub import snapshot_download

    folder = Path(snapshot_download(recorded.id, revision=recorded.revision, allow_patterns=["*.json", "*.safetensors", "*.txt", "tokenizer.model"]))
    with tempfile.TemporaryDirectory() as name:  # a record may name any base
        lay_out({path.name: path.resolve() for path in folder.iterdir() if path.is_file()}, Path(name))
        return evaluation.evaluate(*load(replace(recorded, on_hub=False), name), texts)[0].bits_per_byte
