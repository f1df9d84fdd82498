"""The whole: curate to push, after a check of everything that could fail later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hubtweets.config import TrainingConfig
from hubtweets.record.run_folder import RunFolder
from hubtweets.stages import curate, evaluate, push, render, sample, train
from hubtweets.stages.bot import Bot
from hubtweets.stages.read_options import ReadOptions
from hubtweets.stages.run import GPT2, NUM_SAMPLES, PROMPTS, open_run, to_bot, with_posts

if TYPE_CHECKING:
    from hubtweets.publishing.connection import Hub
    from hubtweets.publishing.preview import Preview
    from hubtweets.publishing.push import PushOptions
    from hubtweets.publishing.request import PreparedPublish, PublishRequest
    from hubtweets.record.run_record import Consent, Tracker


def publish(
    handles: str | Sequence[str],
    posts: str | Sequence[str] = (),
    base_model: str = GPT2,
    *,
    training: TrainingConfig | None = None,
    hub: str | None = None,
    namespace: str | None = None,
    license: str | None = None,
    consent: Consent | None = None,
    prompts: Sequence[str] = PROMPTS,
    num_samples: int = NUM_SAMPLES,
    report_to: Sequence[Tracker] = ("tensorboard",),
    num_processes: int = 1,
    reading: ReadOptions | None = None,
    push_options: PushOptions | None = None,
    runs: str | Path = "runs",
) -> Bot:
    """Read the posts of an author or several, train one bot on them, and push it with its card.

    `hub` is a Hub's URL, "local" for the embedded one, or None for HF_ENDPOINT. Finished stages are
    skipped, interrupted training resumes. Raises HubtweetsError with every problem that is found
    before training.
    """
    from hubtweets.publishing.push import PushOptions
    from hubtweets.publishing.request import PublishRequest

    request = PublishRequest(
        namespace,
        base_model,
        license,
        consent,
        training or TrainingConfig(),
        tuple(report_to),
        tuple(prompts),
        push_options or PushOptions(),
    )
    return publish_request(
        handles,
        request,
        with_posts(reading, posts),
        hub=hub,
        num_samples=num_samples,
        num_processes=num_processes,
        runs=runs,
    )


def publish_request(
    handles: str | Sequence[str],
    request: PublishRequest,
    reading: ReadOptions,
    *,
    hub: str | None,
    num_samples: int,
    num_processes: int,
    runs: str | Path,
) -> Bot:
    """Do what a request asks for; see `publish`."""
    with prepare(handles, request, reading, hub, runs) as (folder, connected, ready):
        config = request.training
        train.train(folder, ready.base, ready.location, config, request.report_to, num_processes)
        evaluate.evaluate(folder, ready.location)
        sample.sample(folder, request.prompts, config.seed, num_samples)
        render.render(folder, ready.target, ready.terms)
        render.check_snippets(folder)
        return to_bot(folder, push.push(folder, connected, ready.push_options))


def preview_request(
    handles: str | Sequence[str],
    request: PublishRequest,
    reading: ReadOptions,
    *,
    hub: str | None,
    runs: str | Path,
) -> Preview:
    """Check everything and read the posts, and return what a publish would do."""
    from hubtweets.publishing import dry_run

    with prepare(handles, request, reading, hub, runs) as (folder, connected, ready):
        return dry_run.preview_publish(folder, connected, request, ready)


@contextmanager
def prepare(
    handles: str | Sequence[str],
    request: PublishRequest,
    reading: ReadOptions,
    hub: str | None,
    runs: str | Path,
) -> Iterator[tuple[RunFolder, Hub, PreparedPublish]]:
    """Open the run and the Hub, read the posts, and check all that publishing needs."""
    from hubtweets.publishing import preflight
    from hubtweets.publishing.connection import connect

    run = open_run(handles, runs=runs)
    with connect(hub) as connected, run.open(new=True) as folder:
        resolve = partial(reading.resolve, run.handles)
        ready = preflight.prepare_publish(
            folder, connected, request, resolve, partial(curate.curate, folder)
        )
        yield folder, connected, ready
