"""The model card: README.md from the record and nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

import yaml
from markupsafe import Markup

from hubtweets.errors import HubtweetsError
from hubtweets.funnel import stats_rows
from hubtweets.posts import SourceKind
from hubtweets.record import Environment, Metrics, RunRecord, Tracker, TrainingConfig
from hubtweets.rendering import environment, markdown, plain

# what an author's posts were read from, as the card says it
KINDS: dict[SourceKind, str] = {
    "x-archive": "an X archive",
    "x-grailbird": "a Twitter archive",
    "x-api": "the X API",
    "x-json": "saved answers of the X API",
    "mastodon-archive": "a Mastodon archive",
    "mastodon-api": "the Mastodon API",
    "bluesky-archive": "a Bluesky export",
    "bluesky-api": "the Bluesky API",
    "threads": "a Threads export",
    "instagram": "an Instagram export",
    "reddit": "a Reddit export",
    "telegram": "a Telegram channel's export",
    "dataset": "a dataset",
    "csv": "a CSV file",
    "json": "a JSON file",
    "jsonl": "a JSONL file",
    "parquet": "a Parquet file",
    "text": "a text file",
}
TRACKERS: dict[Tracker, str] = {"tensorboard": "TensorBoard", "wandb": "Weights & Biases", "trackio": "trackio"}


def render(record: RunRecord) -> str:
    """Return the card; raise HubtweetsError where the record lacks a section that the card shows."""
    for section, stage in (("dataset", "curate"), ("training", "train"), ("metrics", "train"), ("samples", "sample")):
        if getattr(record, section) is None:
            raise HubtweetsError(f"@{record.handle} has no {section} to show yet; type: hubtweets {stage} {record.handle}")
    jinja = environment(finalize=markdown)
    assert record.base and record.training and record.environment and record.metrics
    body = jinja.get_template("model_card.md.j2").render(
        **vars(replace(record, base=replace(record.base, id=plain(record.base.id), revision=plain(record.base.revision)))),
        record=record,
        names=[plain(profile.name, 100) or profile.handle for profile in record.profiles],
        kinds=list(dict.fromkeys(KINDS[source.kind] for source in record.sources)),
        authors=list(zip(record.profiles, record.sources, record.counts, record.passes, strict=True)),
        downloaded=sum(counts.downloaded for counts in record.counts),
        kept=sum(counts.kept for counts in record.counts),
        masked=sum(counts.masked for counts in record.counts),
        rows=stats_rows(record.counts),
        hyperparameters=list(hyperparameters(record.training, record.environment)),
        duration=duration(record.environment.seconds),
        runs={
            kind: [(TRACKERS[run.tracker], url) for run in record.tracked if run.kind == kind and run.url and (url := address(run.url))]
            for kind in ("preprocess", "train")
        },
        tensorboard=any(run.tracker == "tensorboard" for run in record.tracked),
        scores=list(scores(record, record.metrics)),
    )
    return f"---\n{front_matter(record)}---\n\n{body}"


def hyperparameters(training: TrainingConfig, environment: Environment) -> Iterator[tuple[str, str]]:
    """Yield the name and value of what the training was set to, and of what it chose for itself."""
    limits = [f"{training.epochs:g} epochs"]
    if training.max_steps is not None:
        limits.append(f"{training.max_steps:,} steps")
    if training.max_time is not None:
        limits.append(f"{training.max_time:g} minutes")
    yield "Steps", f"{environment.steps:,} (at most {' or '.join(limits)})"
    yield "Early stopping", f"after {training.patience} evaluations without a better one"
    yield "Batch", f"{training.batch_size} × {training.block_size:,} tokens, {'packed' if environment.packed else 'padded'}"
    yield "Optimizer", f"AdamW, weight decay {training.weight_decay:g}, gradients clipped to a norm of {training.max_grad_norm:g}"
    yield (
        "Learning rate",
        f"{training.learning_rate:g} at its peak, after a warm-up of {100 * training.warmup_ratio:g} % of the steps; then a cosine to zero",
    )
    if training.lora:
        yield "LoRA rank", f"{training.lora_rank}"
    yield "Precision", "fp32" if environment.mixed_precision == "no" else environment.mixed_precision
    yield "Seed", f"{training.seed}"


def duration(seconds: float) -> str:
    """Write a time in its two largest units: "2 h 5 min", "1 min 1 s", "0.4 s"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def address(url: str) -> Markup | None:
    """Return a web address as the target of a Markdown link, or None for what is none; a query is cut off, for trackers put keys there."""
    url = plain(url).partition("?")[0].partition("#")[0]
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return None
    return Markup(quote(url, safe=":/%"))


def scores(record: RunRecord, metrics: Metrics) -> Iterator[tuple[str, Metrics]]:
    """Yield whose held-out posts were scored, and their scores: each author's, and all, where there is more than one."""
    if len(record.profiles) > 1:
        for profile, scored in zip(record.profiles, record.metrics_by_author, strict=True):
            yield f"@{profile.handle}", scored
        yield "all", metrics
    else:
        yield f"@{record.profiles[0].handle}", metrics


def front_matter(record: RunRecord) -> str:
    """Return the card's metadata as YAML: only keys that the Hub reads, only values that are known."""
    assert record.target and record.terms and record.dataset and record.base and record.samples and record.training and record.metrics
    is_adapter = record.training.lora == "adapter"
    languages = list(record.dataset.languages)
    metadata: dict[str, Any] = {
        "language": languages if len(languages) > 1 else next(iter(languages), None),
        "license": record.terms.license.id,
        "library_name": "peft" if is_adapter else "transformers",
        "pipeline_tag": "text-generation",
        "base_model": plain(record.base.id) if record.base.on_hub else None,
        "base_model_relation": ("adapter" if is_adapter else "finetune") if record.base.on_hub else None,
        "thumbnail": record.target.file_url("predictions.png"),
        "tags": ["huggingtweets", *(["lora"] if record.training.lora else [])],
        "widget": [{"text": plain(one.prompt), "output": {"text": plain(one.text or "")}} for one in record.samples.shown()],
        "model-index": model_index(record, record.metrics),
    }
    known = {key: value for key, value in metadata.items() if value is not None}
    return yaml.safe_dump(known, allow_unicode=True, sort_keys=False, width=10**9)


def model_index(record: RunRecord, metrics: Metrics) -> list[dict[str, Any]]:
    """Return the scores on the held-out posts as the Hub's `model-index`; the base's has its own type, so that nobody takes it for this model's."""
    assert record.target
    values = (
        ("bits_per_byte", "Bits per byte", metrics.tuned.bits_per_byte),
        ("perplexity", "Perplexity per token", metrics.tuned.perplexity),
        ("base_bits_per_byte", "Bits per byte of the untouched base", metrics.base.bits_per_byte),
    )
    dataset = {
        "name": "Held-out posts of " + " and ".join(f"@{profile.handle}" for profile in record.profiles),
        "type": "held-out-posts",
        "split": "validation",
    }
    result = {
        "task": {"type": "text-generation", "name": "Text generation"},
        "dataset": dataset,
        "metrics": [{"type": kind, "value": round(value, 4), "name": name} for kind, name, value in values],
    }
    return [{"name": record.target.repo_id.rpartition("/")[2], "results": [result]}]
