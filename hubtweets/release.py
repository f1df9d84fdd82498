"""The stages that show a model, in order: sample, card, snippets, push.

Each takes the Run, does its work unless nothing changed since the last time, and adds its section to the record.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from itertools import islice
from typing import TYPE_CHECKING

from hubtweets import files as atomic
from hubtweets.errors import HubtweetsError, ProblemsError
from hubtweets.record.run_folder import Run, key_of
from hubtweets.record.run_record import Published, Target, Terms
from hubtweets.record.samples import Audit, Sample, Samples
from hubtweets.record.serialization import dumps_public
from hubtweets.text import well_formed

if TYPE_CHECKING:
    from hubtweets.publishing.connection import Hub
    from hubtweets.publishing.push import Wishes

MADE_LAST = ("README.md", "hubtweets.json")  # these speak of the other files


def sample(run: Run, prompts: Sequence[str], seed: int, count: int) -> None:
    """Let the tuned model write on from the prompts, audit what it wrote, and pick what is shown: of each prompt the first that may be."""
    info = run.record.dataset
    assert info
    prompts = list(dict.fromkeys(well_formed(prompt) for prompt in prompts))
    key = key_of([asdict(file) for file in run.outputs("train")], info.train_sha256, info.validation_sha256, prompts, seed, count)
    if run.is_done("sample", key):
        return
    from hubtweets.curation import dataset
    from hubtweets.evaluation import memorization
    from hubtweets.evaluation.sampling import could_write, write_on
    from hubtweets.models.loading import load_repo
    from hubtweets.posts.pii.scrub import scrub  # a base may have learnt addresses elsewhere

    run.say(f"sample: {count} posts from {', '.join(map(repr, prompts))}")
    model, tokenizer = load_repo(run.repo)
    shares = [(prompt, count // len(prompts) + (number < count % len(prompts)), seed + number) for number, prompt in enumerate(prompts)]
    texts = ((prompt, scrub(text)[0]) for prompt, share, own in shares for text in write_on(model, tokenizer, prompt, share, own % 2**32))
    written = [pair for _, pair in zip(run.progress(range(count), "posts"), texts, strict=True)]
    posts, held_out = (
        [text for texts in dataset.read_texts(run.folder / "dataset" / f"{side}.parquet").values() for text in texts]
        for side in ("train", "validation")
    )
    audit, measured = memorization.audit([text for _, text in written], held_out, posts)
    say_audit(run, audit)
    samples = tuple(Sample(prompt, text, copied) for (prompt, text), copied in zip(written, measured, strict=True))
    picked = []
    for prompt in prompts:
        free = (number for number in audit.free(samples) if samples[number - 1].prompt == prompt)
        picked += [*islice((number for number in free if could_write(model, tokenizer, prompt, samples[number - 1].text or "")), 1)]
    settings = {name: float(getattr(model.generation_config, name)) for name in ("temperature", "top_p", "top_k", "max_new_tokens")}
    run.finish("sample", key, samples=Samples(seed, settings, samples, tuple(picked)), audit=audit)


def say_audit(run: Run, audit: Audit) -> None:
    """Say how many of the samples are copies, and warn where they are more than among the held-out posts."""
    run.say(f"sample: {audit.copies} of {audit.samples} copy a post ({audit.rate:.1%}), as do {audit.floor:.1%} of the held-out posts")
    if audit.repeats:
        run.say("warning: this model repeats its posts; fewer --epochs, or more posts, make it write more of its own")


def pick(run: Run, numbers: Sequence[int]) -> None:
    """Show these samples on card and thumbnail; raise HubtweetsError for one that there is not, or that may not be shown."""
    samples, audit = run.record.samples, run.record.audit
    if samples is None or audit is None:
        raise HubtweetsError(f"{run.folder}: not that far yet; type first: hubtweets sample {run.record.handle}")
    again = f"hubtweets sample {run.record.handle} --pick"
    free = set(audit.free(samples.samples))
    for number in numbers:
        if not 1 <= number <= len(samples.samples):
            raise HubtweetsError(f"{number}: there are samples 1 to {len(samples.samples)}; type: {again}")
        if number not in free:
            raise HubtweetsError(f"{number}: this sample copies a post, or adds nothing to its prompt; pick another: {again}")
    from hubtweets.evaluation.sampling import could_write
    from hubtweets.models.loading import load_repo

    run.check("train")
    model, tokenizer = load_repo(run.repo)
    for number in numbers:
        one = samples.samples[number - 1]
        if not could_write(model, tokenizer, one.prompt, one.text or ""):
            raise HubtweetsError(f"{number}: nobody can tell from this text in which tokens the model wrote it; pick another: {again}")
    run.update(samples=replace(samples, picked=tuple(numbers), chosen=True))
    run.say(f"picked {', '.join(map(str, numbers))}; to publish that, type: hubtweets push {run.record.handle}")


def render(run: Run, target: Target, terms: Terms) -> None:
    """Render the card, its pictures and the public record into repo/."""
    from hubtweets.card import figures, model_card

    run.check("curate")  # the avatars
    run.update(target=target, terms=terms)
    model_card.render(run.record)  # what it can't show is said before anything is written
    drawn = figures.draw_all(run.record, run.repo)
    run.say(f"card: README.md, {', '.join(drawn)}, hubtweets.json")
    (run.repo / "loss.png").unlink(missing_ok=True)  # an earlier training's, where this one has none
    for name, picture in drawn.items():
        atomic.write_atomically(run.repo / name, picture)
    files = (path for path in sorted(run.repo.rglob("*")) if path.name not in MADE_LAST and not path.name.startswith("."))
    run.update(files=tuple(replace(file, path=file.path.removeprefix("repo/")) for file in run.files(files)))
    text = model_card.render(run.record)
    atomic.write_atomically(run.repo / "hubtweets.json", dumps_public(run.record, text).encode())
    atomic.write_atomically(run.repo / "README.md", text.encode())


def check_snippets(run: Run) -> None:
    """Run the card's Python snippets in a process of their own against repo/; raise HubtweetsError where one fails."""
    from hubtweets.card import snippets

    assert run.record.target
    blocks, repo_id = snippets.blocks((run.repo / "README.md").read_text(encoding="utf-8")), run.record.target.repo_id
    key = key_of(blocks, repo_id, [asdict(file) for file in run.outputs("train")], version("torch"), version("transformers"))
    if run.is_done("snippets", key):
        return
    printed = snippets.run(blocks, repo_id, run.repo)
    run.say(f"snippets: the card's {len(printed)} Python snippets run")
    run.finish("snippets", key)


def push(run: Run, hub: "Hub", wishes: "Wishes") -> Published:
    """Push repo/ as it is, in one commit with a tag, and record it."""
    from huggingface_hub.utils import disable_progress_bars

    from hubtweets.publishing import push, secret_scan

    assert run.record.target
    if run.quiet or not sys.stderr.isatty():
        disable_progress_bars()
    run.check()
    if given_away := list(secret_scan.in_folder(run.repo, secret_scan.marks(hub.api.token))):
        raise ProblemsError([f"{line}; take it out of where it came from, and type: hubtweets publish {run.authors}" for line in given_away])
    published = push.push(hub, run.record.target, run.repo, wishes, run.say, run.record.published)
    run.update(published=published)
    return published
