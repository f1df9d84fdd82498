"""A finished record, for what only reads one."""

from dataclasses import replace

from hubtweets.posts import Profile
from hubtweets.record import (
    Base,
    Counts,
    DatasetInfo,
    Environment,
    HistoryPoint,
    Metrics,
    RunRecord,
    Samples,
    Score,
    Source,
    Target,
    TrainingConfig,
)

RECORD = RunRecord(
    handle="lyons____",
    hubtweets_version="0.1.0",
    target=Target("https://huggingface.co", "huggingtweets/lyons____"),
    profiles=(Profile("lyons____", "Lyons__ 𝓃 🤖", "X", "Fixes machines.", "42", "avatar.png"),),
    source=Source("x-archive", "a" * 64, "2019-03-01T00:00:57+00:00", "2026-06-24T10:00:00+00:00"),
    counts=(Counts("lyons____", 3086, 1225, 0, 0, 997, 864, 76_000),),
    dataset=DatasetInfo(775, "b" * 64, 89, "c" * 64, "en"),
    base=Base("openai-community/gpt2", "d" * 40, "mit", on_hub=True),
    training=TrainingConfig(learning_rate=3e-4),
    environment=Environment({"torch": "2.13.0"}, "a CPU", 1, "no", 60.5, 102_400),
    history=(HistoryPoint(10, 3.5, 3e-4),),
    metrics=Metrics(Score(2.5, 250.0, 8_000, 2_100), Score(1.25, 15.6, 8_000, 2_100)),
    samples=Samples("My dream is", 0, ("My dream is a bigger shed.", "My dream is pie.", "My dream is to stop.", "My dream is x", "My dream is y")),
)


def named(name: str) -> RunRecord:
    return replace(RECORD, profiles=(replace(RECORD.profiles[0], name=name),))


def saying(text: str) -> RunRecord:
    samples = Samples(text, 0, (f"{text} and so on", text, f"{text} | end"))
    return replace(RECORD, samples=samples)
