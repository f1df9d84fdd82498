"""The model card, README.md.

In: the record of a run, and nothing else. Out: the card's text, metadata included. The template is
templates/model_card.md.j2; each function here prepares the values for one part of it.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from jinja2 import Template
from markupsafe import Markup

from hubtweets.card import metadata, sharing
from hubtweets.card.hyperparameters import list_hyperparameters
from hubtweets.card.templating import create_environment
from hubtweets.errors import HubtweetsError
from hubtweets.posts.source_kinds import SOURCES, are_tweets, get_access
from hubtweets.record.counts import build_stats_rows
from hubtweets.record.run_record import File, Metrics, RunRecord, Source, Tracker
from hubtweets.record.samples import Sample
from hubtweets.text import escape_markdown, to_link_target, to_plain_text

HUGGING_FACE = "https://huggingface.co"
MAX_POST_CHARS = 300  # shown of a sample
TRACKERS: dict[Tracker, str] = {
    "tensorboard": "TensorBoard",
    "wandb": "Weights & Biases",
    "trackio": "trackio",
}
VLLM_DEFAULT_LORA_RANK = 16  # the highest that vLLM loads without --max-lora-rank
VLLM_LORA_RANKS = (32, 64, 128, 256, 320, 512)  # the values of --max-lora-rank
PLAIN_GGUF_NAME = re.compile(r"[\w.-]+\.gguf", re.ASCII)  # needs no quotes in a shell
STAGES = {  # of the sections that the card can't do without
    "dataset": "curate",
    "training": "train",
    "metrics": "train",
    "samples": "sample",
    "audit": "sample",
}


def render(record: RunRecord) -> str:
    """Return the card.

    Raises HubtweetsError if a section of the record is missing, or if the Hub would refuse a value.
    """
    for section, stage in STAGES.items():
        if getattr(record, section) is None:
            raise HubtweetsError(
                f"@{record.handle} has no {section} yet; type: hubtweets {stage} {record.handle}"
            )
    front = metadata.dump_metadata(record)
    body = load_template().render(
        **list_record_values(record),
        **list_post_values(record),
        **list_training_values(record),
        **list_sample_values(record),
        **list_publishing_values(record),
    )
    return f"---\n{front}---\n\n{body}"


@cache
def load_template() -> Template:
    return create_environment(finalize=escape_markdown).get_template("model_card.md.j2")


def list_record_values(record: RunRecord) -> dict[str, Any]:
    """Return the sections of the record, the base's id and revision made printable."""
    assert record.base
    base = replace(
        record.base, id=to_plain_text(record.base.id), revision=to_plain_text(record.base.revision)
    )
    return {**vars(record), "base": base, "record": record}


def list_post_values(record: RunRecord) -> dict[str, Any]:
    """Return what the card says of the authors and their posts."""
    of_tweets = are_tweets(source.kind for source in record.sources)
    authors = zip(record.profiles, record.sources, record.counts, record.passes, strict=True)
    return {
        "names": [
            to_plain_text(profile.name, 100) or profile.handle for profile in record.profiles
        ],
        "people": [f"@{profile.handle}" for profile in record.profiles],
        "noun": "tweets" if of_tweets else "posts",
        "ways": [describe_source(source) for source in record.sources],
        "addresses": [to_link_target(profile.url or "") for profile in record.profiles],
        "authors": list(authors),
        "downloaded": sum(counts.downloaded for counts in record.counts),
        "kept": sum(counts.kept for counts in record.counts),
        "masked": sum(counts.masked for counts in record.counts),
        "rows": build_stats_rows(record.counts, of_tweets),
    }


def list_training_values(record: RunRecord) -> dict[str, Any]:
    """Return what the card says of the training and its scores."""
    assert record.training and record.environment and record.metrics
    hyperparameters = list(list_hyperparameters(record.training, record.environment))
    return {
        "hyperparameters": hyperparameters,
        "has_changed_settings": not all(one.is_default for one in hyperparameters),
        "duration": format_duration(record.environment.seconds),
        "runs": {
            "preprocess": list_runs(record, "preprocess"),
            "train": list_runs(record, "train"),
        },
        "tensorboard": any(run.tracker == "tensorboard" for run in record.tracked),
        "scores": list(list_scores(record, record.metrics)),
    }


def list_sample_values(record: RunRecord) -> dict[str, Any]:
    """Return what the card shows of the samples."""
    assert record.samples
    return {"shown": [split_sample(sample) for sample in metadata.list_shown_samples(record)]}


def list_publishing_values(record: RunRecord) -> dict[str, Any]:
    """Return what the commands and links on the card need."""
    assert record.training and record.target and record.terms
    endpoint = record.target.endpoint
    return {
        "rank": choose_vllm_rank(record.training.lora_r),
        "gguf": find_gguf(record.files),
        "license_link": to_link_target(record.terms.license.link or ""),
        "hub": "" if endpoint == HUGGING_FACE else f" --hub {endpoint}",
        "on_hugging_face": endpoint == HUGGING_FACE,
        "project": sharing.PROJECT_URL,
        "notebook": sharing.NOTEBOOK_URL,
        "share": sharing.list_share_values(record),
    }


def describe_source(source: Source) -> str:
    """Return the name of a source, and who can get it if that is known."""
    label, access = SOURCES[source.kind].label, get_access(source.kind, source.dataset)
    if access == "owner":
        return f"{label}, which only the account's owner is given"
    if access == "public":
        return f"{label}, which is public"
    return label


def list_runs(record: RunRecord, kind: str) -> list[tuple[str, Markup]]:
    """Return the names of the trackers with a run of this kind on the web, and its address."""
    runs = []
    for run in record.tracked:
        url = to_link_target(run.url or "")
        if run.kind == kind and url:
            runs.append((TRACKERS[run.tracker], url))
    return runs


def split_sample(sample: Sample) -> tuple[str, str, str]:
    """Return the prompt of a sample, the space after it, and the text that the model added."""
    text = sample.text or ""
    rest = text.removeprefix(sample.prompt)
    prompt = to_plain_text(sample.prompt, MAX_POST_CHARS) if rest != text else ""
    space = Markup(" ") if prompt and rest[:1].isspace() else ""
    return prompt, space, to_plain_text(rest, MAX_POST_CHARS)


def choose_vllm_rank(rank: int) -> int | None:
    """Return the --max-lora-rank for vLLM, None if it needs none or has none that large."""
    if rank <= VLLM_DEFAULT_LORA_RANK:
        return None
    return next((allowed for allowed in VLLM_LORA_RANKS if allowed >= rank), None)


def find_gguf(files: tuple[File, ...]) -> str | None:
    """Return the name of the first file for llama.cpp."""
    return next((file.path for file in files if PLAIN_GGUF_NAME.fullmatch(file.path)), None)


def format_duration(seconds: float) -> str:
    """Return a time in its two largest units: "2 h 5 min", "1 min 1 s", "0.4 s"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def list_scores(record: RunRecord, metrics: Metrics) -> Iterator[tuple[str, Metrics]]:
    """Yield the label and scores of each author's held-out posts, then of all of them.

    One author has one row.
    """
    if len(record.profiles) == 1:
        yield f"@{record.profiles[0].handle}", metrics
        return
    for profile, scored in zip(record.profiles, record.metrics_by_author, strict=True):
        yield f"@{profile.handle}", scored
    yield "all", metrics
