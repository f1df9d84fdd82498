"""A finished record, for what only reads one."""

from dataclasses import replace

from hubtweets.config import Curation, TrainingConfig
from hubtweets.posts.post import Profile
from hubtweets.record.counts import OUTCOMES, Counts
from hubtweets.record.run_record import (
    Base,
    DatasetInfo,
    Environment,
    Evaluation,
    HistoryPoint,
    License,
    Metrics,
    Row,
    RunRecord,
    Score,
    Source,
    Target,
    Terms,
    Tracked,
)
from hubtweets.record.samples import MemorizationAudit, Overlap, Sample, Samples


def counts_of(handle: str = "lyons____", **numbers: int) -> Counts:
    """Return Counts in which what is not named is 0."""
    return Counts(
        handle, **{**dict.fromkeys(["downloaded", *OUTCOMES, "masked", "characters"], 0), **numbers}
    )


def samples_of(prompt: str, *texts: str) -> Samples:
    """Return samples that copy nothing, all of them picked."""
    settings = {"temperature": 1.0, "top_p": 0.95, "top_k": 0, "max_new_tokens": 160}
    return Samples(
        0,
        settings,
        tuple(Sample(prompt, text, Overlap(2, 9, 0.0)) for text in texts),
        tuple(range(1, len(texts) + 1)),
    )


RECORD = RunRecord(
    handle="lyons____",
    hubtweets_version="0.1.0",
    target=Target("https://huggingface.co", "huggingtweets/lyons____"),
    terms=Terms(License("mit")),
    profiles=(
        Profile(
            "lyons____",
            "Lyons__ 𝓃 🤖",
            "X",
            "Fixes machines.",
            "42",
            "avatar.png",
            "https://x.com/lyons____",
        ),
    ),
    sources=(
        Source("x-archive", "a" * 64, "2019-03-01T00:00:57+00:00", "2026-06-24T10:00:00+00:00"),
    ),
    curation=Curation(),
    counts=(counts_of(downloaded=3086, reposts=1225, short=997, kept=864, characters=76_000),),
    dataset=DatasetInfo(
        778,
        "b" * 64,
        86,
        "c" * 64,
        "time",
        {"en": 1.0},
        (Row("lyons____", "The radio works."), Row("lyons____", "Pie | cake?")),
    ),
    base=Base("openai-community/gpt2", "d" * 40, License("mit"), ("en",), on_hub=True),
    training=TrainingConfig(learning_rate=3e-4),
    passes=(1.0,),
    environment=Environment(
        {"python": "3.11.7", "torch": "2.13.0"},
        "a CPU",
        1,
        "no",
        True,
        60.5,
        102_400,
        100,
        80,
        3e-4,
        124_439_808,
    ),
    history=tuple(
        HistoryPoint(step, 5 - step / 40, 3e-4 * (1 - step / 100)) for step in range(10, 101, 10)
    ),
    evaluations=tuple(
        Evaluation(step, 2 - step / 100 if step <= 80 else 1.3) for step in range(20, 101, 20)
    ),
    tracked=(Tracked("tensorboard", "train", None),),
    metrics=Metrics(Score(2.5, 250.0, 8_000, 2_100), Score(1.25, 15.6, 8_000, 2_100)),
    metrics_by_author=(Metrics(Score(2.5, 250.0, 8_000, 2_100), Score(1.25, 15.6, 8_000, 2_100)),),
    samples=samples_of(
        "My dream is",
        "My dream is a bigger shed.",
        "My dream is pie.",
        "My dream is to stop.",
        "My dream is x",
        "My dream is y",
    ),
    audit=MemorizationAudit(0.5, 5, 0, 86, 1),
)


def named(name: str) -> RunRecord:
    return replace(RECORD, profiles=(replace(RECORD.profiles[0], name=name),))


def saying(text: str) -> RunRecord:
    return replace(RECORD, samples=samples_of(text, f"{text} and so on", text, f"{text} | end"))


def cyborg() -> RunRecord:
    """A record of two authors."""
    bob = Profile(
        "bob",
        "Bob | B",
        "Bluesky",
        None,
        "did:plc:bob",
        "avatar-2.png",
        "https://bsky.app/profile/bob.example",
    )
    counts = counts_of(
        "bob",
        downloaded=420,
        private=3,
        duplicates=7,
        scrubbed=1,
        short=99,
        kept=310,
        masked=2,
        characters=20_000,
    )
    return replace(
        RECORD,
        handle="lyons____-bob",
        target=Target("https://huggingface.co", "huggingtweets/lyons____-bob"),
        profiles=(*RECORD.profiles, bob),
        sources=(*RECORD.sources, Source("bluesky-api", "e" * 64, None, None)),
        counts=(*RECORD.counts, counts),
        passes=(0.8, 1.7),
        metrics_by_author=(
            *RECORD.metrics_by_author,
            Metrics(Score(2.75, 300.0, 2_000, 500), Score(1.5, 20.0, 2_000, 500)),
        ),
    )
