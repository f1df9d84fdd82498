"""A run: a method for each stage. The commands and the library are thin calls of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubtweets.config import TrainingConfig
from hubtweets.posts.source_kinds import are_tweets
from hubtweets.record.run_folder import (
    RunFolder,
    find_last_handle,
    join_handles,
    normalize_handle,
    open_run_folder,
)
from hubtweets.stages.bot import Bot
from hubtweets.stages.read_options import ReadOptions

if TYPE_CHECKING:
    from hubtweets.record.counts import Counts
    from hubtweets.record.run_record import Consent, Metrics, Published, RunRecord, Tracker
    from hubtweets.stages.info import RunInfo

GPT2 = "openai-community/gpt2"
PROMPTS = ("My dream is", "I think that", "I like", "I don't like", "I want")  # the original's
NUM_SAMPLES = 200


class Run:
    """A bot's run folder.

    Every method opens it, does one stage unless nothing changed, and closes it again. Methods raise
    HubtweetsError, with one line that says what to do, if an earlier stage is missing or another
    process works in the folder.
    """

    def __init__(self, handles: Sequence[str], runs: Path) -> None:
        self.handles = [normalize_handle(handle) for handle in handles]
        self.name, self.runs = join_handles(handles), runs

    @contextmanager
    def open(self, new: bool = False, shared: bool = False) -> Iterator[RunFolder]:
        """Open the folder and lock it.

        `new` makes it, and `shared` lets several processes train there.
        """
        with open_run_folder(self.runs, self.name, new, shared) as folder:
            yield folder

    @property
    def record(self) -> RunRecord:
        """What is recorded of the run so far."""
        from hubtweets.record import serialization

        return serialization.read_record(self.runs / self.name / "run.json")

    def info(self) -> RunInfo:
        """Return how far the run has come: posts, score, samples, where it is published."""
        from hubtweets.stages.info import describe_run

        return describe_run(self.runs / self.name)

    def curate(
        self, posts: str | Sequence[str] = (), reading: ReadOptions | None = None
    ) -> tuple[Counts, ...]:
        """Read the posts, choose the ones to learn from, and return how many were kept, by author.

        `posts` are files, folders, services such as "bluesky:alice.example", or HANDLE=SOURCE; none
        means HANDLE.zip.
        """
        from hubtweets.stages import curate

        with self.open(new=True) as folder:
            if not curate.curate(folder, **with_posts(reading, posts).resolve(self.handles)):
                of_tweets = are_tweets(source.kind for source in folder.record.sources)
                curate.log_table(folder, folder.record.counts, of_tweets)
            return folder.record.counts

    def explain(self) -> Path:
        """Write every post with its verdict as JSON Lines, and return the file."""
        from hubtweets.stages import curate

        with self.open() as folder:
            return curate.explain(folder)

    def train(
        self,
        base_model: str = GPT2,
        training: TrainingConfig | None = None,
        *,
        report_to: Sequence[Tracker] = ("tensorboard",),
        num_processes: int = 1,
    ) -> Metrics | None:
        """Fine-tune a base model on the curated posts, score it, and return the scores.

        Interrupted training resumes from its last checkpoint. If there are several processes, all
        but the main one return None.
        """
        from hubtweets.models.base import resolve_base
        from hubtweets.stages import evaluate, train

        with self.open(shared=True) as folder:
            base, location = resolve_base(base_model)
            train.train(
                folder, base, location, training or TrainingConfig(), report_to, num_processes
            )
            if not folder.is_main:
                return None
            evaluate.evaluate(folder, location)
            return folder.record.metrics

    def sample(
        self, prompts: Sequence[str] = PROMPTS, num_samples: int = NUM_SAMPLES, seed: int = 0
    ) -> list[str]:
        """Generate samples, compare them with the training posts, and return the shown ones."""
        from hubtweets.stages import sample

        with self.open() as folder:
            sample.sample(folder, prompts, seed, num_samples)
            return shown_texts(folder)

    def pick(self, numbers: Sequence[int]) -> list[str]:
        """Have the card show these samples, by their numbers from 1 on, and return them."""
        from hubtweets.stages import sample

        with self.open() as folder:
            sample.pick(folder, numbers)
            return shown_texts(folder)

    def render(
        self,
        hub: str | None = None,
        namespace: str | None = None,
        license: str | None = None,
        consent: Consent | None = None,
    ) -> Path:
        """Render the card, its pictures and the public record, and return the card's file.

        Without `hub` and `namespace` the card is for where the bot was rendered or pushed last.
        """
        from hubtweets.card import licensing
        from hubtweets.stages import render

        with self.open() as folder:
            target = folder.record.target
            if target is None or hub or namespace:
                from hubtweets.publishing.connection import choose_target, connect

                with connect(hub) as connected:
                    target = choose_target(connected, folder.record.handle, namespace)
            render.render(
                folder, target, licensing.choose_run_terms(folder.record, license, consent)
            )
            return folder.repo / "README.md"

    def push_to_hub(
        self,
        hub: str | None = None,
        namespace: str | None = None,
        license: str | None = None,
        consent: Consent | None = None,
        **options: Any,
    ) -> Bot:
        """Render the card and push the bot in one commit.

        `hub` is a Hub's URL, "local" for the embedded one, or None for HF_ENDPOINT; `options` are
        those of PushOptions, such as create_pr=True.
        """
        from hubtweets.card import licensing
        from hubtweets.publishing.connection import choose_target, connect
        from hubtweets.publishing.push import PushOptions
        from hubtweets.stages import push, render

        push_options = PushOptions(**options)
        with connect(hub) as connected, self.open() as folder:
            target = choose_target(connected, folder.record.handle, namespace)
            terms = licensing.choose_run_terms(folder.record, license, consent)
            if push_options.private is None and licensing.is_private(folder.record.sources, terms):
                folder.log(
                    f"the repo will be private, {licensing.explain_private(folder.record.sources)}"
                )
                push_options = replace(push_options, private=True)
            render.render(folder, target, terms)
            render.check_snippets(folder)
            return to_bot(folder, push.push(folder, connected, push_options))

    def generate(self, prompt: str, num_return_sequences: int = 5, seed: int = 0) -> list[str]:
        """Return texts of the trained model that start with the prompt."""
        return self.load_generator()(prompt, num_return_sequences, seed)

    def load_generator(self) -> Callable[[str, int, int], list[str]]:
        """Load the trained model once, and return a function that does what `generate` does."""
        from hubtweets.evaluation.sampling import generate
        from hubtweets.models.loading import load_repo

        with self.open() as folder:
            folder.list_outputs("train")
            return partial(generate, *load_repo(folder.repo))


def open_run(handles: str | Sequence[str] | None = None, *, runs: str | Path = "runs") -> Run:
    """Return the run of these authors, or the last one that was worked on.

    Nothing is read or written yet: `curate` makes the folder.
    """
    folder = Path(runs)
    if handles is None:
        return Run([find_last_handle(folder)], folder)
    return Run([handles] if isinstance(handles, str) else handles, folder)


def with_posts(reading: ReadOptions | None, posts: str | Sequence[str]) -> ReadOptions:
    sources = (posts,) if isinstance(posts, str) else tuple(posts)
    return replace(reading or ReadOptions(), posts=sources) if sources else reading or ReadOptions()


def shown_texts(folder: RunFolder) -> list[str]:
    samples = folder.record.samples
    return [sample.text or "" for sample in samples.list_picked()] if samples else []


def to_bot(folder: RunFolder, published: Published) -> Bot:
    url = published.pull_request or f"{published.endpoint}/{published.repo_id}"
    return Bot(published.repo_id, url, published.commit, folder.repo, published.tag)
