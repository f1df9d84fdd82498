"""The stages that show a model, in order: sample, card, snippets, push.

Each takes the Run, does its work unless nothing changed since the last time, and adds its section to the record.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from hubtweets import atomic
from hubtweets.errors import HubtweetsError
from hubtweets.posts import well_formed
from hubtweets.record import Published, Target, Terms
from hubtweets.record_json import dumps_public
from hubtweets.run import Run, key_of
from hubtweets.samples import Sample, Samples

if TYPE_CHECKING:
    from hubtweets.publisher import Hub, Wishes

MADE_LAST = ("README.md", "hubtweets.json")  # these speak of the other files


def sample(run: Run, prompts: Sequence[str], seed: int, count: int) -> None:
    """Let the tuned model write on from the prompts, audit what it wrote, and pick what is shown: from each prompt the first that copies nothing."""
    info = run.record.dataset
    assert info
    prompts = [well_formed(prompt) for prompt in prompts]
    key = key_of([asdict(file) for file in run.outputs("train")], info.train_sha256, info.validation_sha256, prompts, seed, count)
    if run.is_done("sample", key):
        return
    from hubtweets import copies, dataset
    from hubtweets.models import load_repo
    from hubtweets.sampling import generate

    run.say(f"sample: {count} posts from {len(prompts)} prompts")
    model, tokenizer = load_repo(run.repo)
    written: list[tuple[str, str]] = []
    for number, prompt in enumerate(prompts):
        share = count // len(prompts) + (number < count % len(prompts))
        written += [(prompt, text) for text in generate(model, tokenizer, prompt, share, seed + number)] if share else []
    posts, held_out = (
        [text for texts in dataset.read_texts(run.folder / "dataset" / f"{side}.parquet").values() for text in texts]
        for side in ("train", "validation")
    )
    audit, measured = copies.audit([text for _, text in written], held_out, posts)
    samples = tuple(Sample(prompt, text, copied) for (prompt, text), copied in zip(written, measured, strict=True))
    picked = [
        next((i for i, one in enumerate(samples, 1) if one.prompt == prompt and one.copied.share < audit.threshold), None) for prompt in prompts
    ]
    settings = {name: getattr(model.generation_config, name) for name in ("temperature", "top_p", "top_k", "max_new_tokens")}
    run.finish("sample", key, samples=Samples(seed, settings, samples, tuple(filter(None, picked))), audit=audit)


def pick(run: Run, numbers: Sequence[int]) -> None:
    """Show these samples on card and thumbnail; raise HubtweetsError for one that there is not, or that copies a post."""
    samples, audit = run.record.samples, run.record.audit
    if samples is None or audit is None:
        raise HubtweetsError(f"{run.folder}: not that far yet; type first: hubtweets sample {run.record.handle}")
    for number in numbers:
        if not 1 <= number <= len(samples.samples):
            raise HubtweetsError(f"{number}: there are samples 1 to {len(samples.samples)}; type: hubtweets sample {run.record.handle} --pick")
        if samples.samples[number - 1].copied.share >= audit.threshold:
            raise HubtweetsError(f"{number}: this sample copies a post; pick another: hubtweets sample {run.record.handle} --pick")
    run.update(samples=replace(samples, picked=tuple(numbers), chosen=True))


def render(run: Run, target: Target, terms: Terms) -> None:
    """Render the card, its pictures and the public record into repo/."""
    from hubtweets import card, pictures

    run.check("curate")  # the avatars
    run.update(target=target, terms=terms)
    text = card.render(run.record)
    drawn = pictures.draw_all(run.record, run.repo)
    run.say(f"card: README.md, {', '.join(drawn)}, hubtweets.json")
    (run.repo / "loss.png").unlink(missing_ok=True)  # an earlier training's, where this one has none
    for name, picture in drawn.items():
        atomic.write(run.repo / name, picture)
    files = (path for path in sorted(run.repo.rglob("*")) if path.name not in MADE_LAST and not path.name.startswith("."))
    run.update(files=tuple(replace(file, path=file.path.removeprefix("repo/")) for file in run.files(files)))
    atomic.write(run.repo / "hubtweets.json", dumps_public(run.record, text).encode())
    atomic.write(run.repo / "README.md", text.encode())


def check_snippets(run: Run) -> None:
    """Run the card's Python snippets in a process of their own against repo/; raise HubtweetsError where one fails."""
    # TODO helper E: a stage "snippets" (SECTIONS in run.py), key: the snippets' text and the weights' files; snippets.run(...)


def push(run: Run, hub: "Hub", wishes: "Wishes") -> Published:
    """Push repo/ as it is, in one commit with a tag, and record it."""
    from huggingface_hub.utils import disable_progress_bars

    from hubtweets import publisher

    assert run.record.target
    if run.quiet or not sys.stderr.isatty():
        disable_progress_bars()
    run.check()
    published = publisher.push(hub, run.record.target, run.repo, wishes, run.say, run.record.published)
    run.update(published=published)
    return published
