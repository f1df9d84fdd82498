"""The stages that show a model, in order: sample, card, snippets, push.

Each takes the Run, does its work unless nothing changed since the last time, and adds its section to the record.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import islice

from hubtweets.errors import HubtweetsError
from hubtweets.progress import track
from hubtweets.record.run_folder import RunFolder, hash_key
from hubtweets.record.samples import MemorizationAudit, Sample, Samples
from hubtweets.text import replace_surrogates


def sample(run: RunFolder, prompts: Sequence[str], seed: int, count: int) -> None:
    """Let the tuned model write on from the prompts, audit what it wrote, and pick what is shown: of each prompt the first that may be."""
    info = run.record.dataset
    assert info
    prompts = list(dict.fromkeys(replace_surrogates(prompt) for prompt in prompts))
    key = hash_key(
        [asdict(file) for file in run.list_outputs("train")],
        info.train_sha256,
        info.validation_sha256,
        prompts,
        seed,
        count,
    )
    if run.is_done("sample", key):
        return
    from hubtweets.curation import dataset
    from hubtweets.evaluation import memorization
    from hubtweets.evaluation.sampling import can_generate, generate_stream
    from hubtweets.models.loading import load_repo
    from hubtweets.posts.pii.scrub import scrub  # a base may have learnt addresses elsewhere

    run.log(f"sample: {count} posts from {', '.join(map(repr, prompts))}")
    model, tokenizer = load_repo(run.repo)
    shares = [
        (prompt, count // len(prompts) + (number < count % len(prompts)), seed + number)
        for number, prompt in enumerate(prompts)
    ]
    texts = (
        (prompt, scrub(text)[0])
        for prompt, share, own in shares
        for text in generate_stream(model, tokenizer, prompt, share, own % 2**32)
    )
    written = [pair for _, pair in zip(track(range(count), "posts"), texts, strict=True)]
    posts, held_out = (
        [
            text
            for texts in dataset.read_texts(run.folder / "dataset" / f"{side}.parquet").values()
            for text in texts
        ]
        for side in ("train", "validation")
    )
    audit, measured = memorization.audit([text for _, text in written], held_out, posts)
    say_audit(run, audit)
    samples = tuple(
        Sample(prompt, text, copied)
        for (prompt, text), copied in zip(written, measured, strict=True)
    )
    picked = []
    for prompt in prompts:
        free = (
            number
            for number in audit.list_showable(samples)
            if samples[number - 1].prompt == prompt
        )
        picked += [
            *islice(
                (
                    number
                    for number in free
                    if can_generate(model, tokenizer, prompt, samples[number - 1].text or "")
                ),
                1,
            )
        ]
    settings = {
        name: float(getattr(model.generation_config, name))
        for name in ("temperature", "top_p", "top_k", "max_new_tokens")
    }
    run.finish("sample", key, samples=Samples(seed, settings, samples, tuple(picked)), audit=audit)


def say_audit(run: RunFolder, audit: MemorizationAudit) -> None:
    """Say how many of the samples are copies, and warn where they are more than among the held-out posts."""
    run.log(
        f"sample: {audit.copies} of {audit.samples} copy a post ({audit.rate:.1%}), as do {audit.floor:.1%} of the held-out posts"
    )
    if audit.is_repetitive:
        run.warn(
            "this model repeats its posts; fewer --num-train-epochs, or more posts, make it write more of its own"
        )


def pick(run: RunFolder, numbers: Sequence[int]) -> None:
    """Show these samples on card and thumbnail; raise HubtweetsError for one that there is not, or that may not be shown."""
    samples, audit = run.record.samples, run.record.audit
    if samples is None or audit is None:
        raise HubtweetsError(
            f"{run.folder}: not that far yet; type first: hubtweets sample {run.record.handle}"
        )
    again = f"hubtweets sample {run.record.handle} --pick"
    free = set(audit.list_showable(samples.samples))
    for number in numbers:
        if not 1 <= number <= len(samples.samples):
            raise HubtweetsError(
                f"{number}: there are samples 1 to {len(samples.samples)}; type: {again}"
            )
        if number not in free:
            raise HubtweetsError(
                f"{number}: this sample copies a post, or adds nothing to its prompt; pick another: {again}"
            )
    from hubtweets.evaluation.sampling import can_generate
    from hubtweets.models.loading import load_repo

    run.check_outputs("train")
    model, tokenizer = load_repo(run.repo)
    for number in numbers:
        one = samples.samples[number - 1]
        if not can_generate(model, tokenizer, one.prompt, one.text or ""):
            raise HubtweetsError(
                f"{number}: nobody can tell from this text in which tokens the model wrote it; pick another: {again}"
            )
    run.update(samples=replace(samples, picked=tuple(numbers), chosen=True))
    run.log(
        f"picked {', '.join(map(str, numbers))}; to publish that, type: hubtweets push {run.record.handle}"
    )
