"""The model card: README.md from the record and nothing else."""

import re
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache

from jinja2 import Template
from markupsafe import Markup

from hubtweets.card import metadata
from hubtweets.card.templating import create_environment
from hubtweets.errors import HubtweetsError
from hubtweets.posts.origins import ORIGINS, access_of
from hubtweets.record.config import TrainingConfig
from hubtweets.record.counts import build_stats_rows
from hubtweets.record.run_record import Environment, File, Metrics, RunRecord, Source, Tracker
from hubtweets.record.samples import Sample
from hubtweets.text import escape_markdown, to_link_target, to_plain_text

HUGGING_FACE = "https://huggingface.co"
MAX_POST_CHARS = 300  # characters of a post that are shown
TRACKERS: dict[Tracker, str] = {
    "tensorboard": "TensorBoard",
    "wandb": "Weights & Biases",
    "trackio": "trackio",
}
VLLM_LORA_RANKS = (
    32,
    64,
    128,
    256,
    320,
    512,
)  # that vLLM can be told, more than the 16 that it expects
PLAIN_GGUF_NAME = re.compile(r"[\w.-]+\.gguf", re.ASCII)  # one that a shell takes as it is


def render(record: RunRecord) -> str:
    """Return the card; raise HubtweetsError where the record lacks a section that the card shows, or holds what the Hub would refuse."""
    for section, stage in (
        ("dataset", "curate"),
        ("training", "train"),
        ("metrics", "train"),
        ("samples", "sample"),
        ("audit", "sample"),
    ):
        if getattr(record, section) is None:
            raise HubtweetsError(
                f"@{record.handle} has no {section} to show yet; type: hubtweets {stage} {record.handle}"
            )
    assert record.base and record.training and record.environment and record.metrics
    assert record.samples and record.audit and record.target and record.terms
    front = metadata.dump_metadata(record)
    body = load_template().render(
        **vars(
            replace(
                record,
                base=replace(
                    record.base,
                    id=to_plain_text(record.base.id),
                    revision=to_plain_text(record.base.revision),
                ),
            )
        ),
        record=record,
        names=[to_plain_text(profile.name, 100) or profile.handle for profile in record.profiles],
        kinds=list(dict.fromkeys(ORIGINS[source.kind].label for source in record.sources)),
        ways=[describe_source(source) for source in record.sources],
        addresses=[to_link_target(profile.url or "") for profile in record.profiles],
        authors=list(
            zip(record.profiles, record.sources, record.counts, record.passes, strict=True)
        ),
        downloaded=sum(counts.downloaded for counts in record.counts),
        kept=sum(counts.kept for counts in record.counts),
        masked=sum(counts.masked for counts in record.counts),
        rows=build_stats_rows(record.counts),
        posts=[(row.author, to_plain_text(row.text, MAX_POST_CHARS)) for row in record.dataset.rows]
        if record.dataset
        else [],
        hyperparameters=(
            settings := list(list_hyperparameters(record.training, record.environment))
        ),
        unusual=any("**" in value for _, value in settings),
        duration=format_duration(record.environment.seconds),
        runs={
            kind: [
                (TRACKERS[run.tracker], url)
                for run in record.tracked
                if run.kind == kind and run.url and (url := to_link_target(run.url))
            ]
            for kind in ("preprocess", "train")
        },
        tensorboard=any(run.tracker == "tensorboard" for run in record.tracked),
        scores=list(list_scores(record, record.metrics)),
        shown=[split_sample(one) for one in metadata.list_shown_samples(record)],
        longest=max((one.copied.characters for one in record.samples.list_picked()), default=0),
        rank=next((rank for rank in VLLM_LORA_RANKS if rank >= record.training.lora_r), None)
        if record.training.lora_r > 16
        else None,
        gguf=find_gguf(record.files),
        license_link=to_link_target(record.terms.license.link or ""),
        hub="" if record.target.endpoint == HUGGING_FACE else f" --hub {record.target.endpoint}",
    )
    return f"---\n{front}---\n\n{body}"


@cache
def load_template() -> Template:
    return create_environment(finalize=escape_markdown).get_template("model_card.md.j2")


def describe_source(source: Source) -> str:
    """Name a source, and say who can get it if that is known."""
    label, access = ORIGINS[source.kind].label, access_of(source.kind, source.dataset)
    if access == "owner":
        return f"{label}, which only the account's owner is given"
    if access == "anybody":
        return f"{label}, which anybody can read"
    return label


def split_sample(sample: Sample) -> tuple[str, str, str]:
    """Return a sample's prompt, the space after it, and what was written on from it."""
    text = sample.text or ""
    rest = text.removeprefix(sample.prompt)
    prompt = to_plain_text(sample.prompt, MAX_POST_CHARS) if rest != text else ""
    return (
        prompt,
        Markup(" ") if prompt and rest[:1].isspace() else "",
        to_plain_text(rest, MAX_POST_CHARS),
    )


def find_gguf(files: tuple[File, ...]) -> str | None:
    """Return the name of the first file for llama.cpp."""
    return next((file.path for file in files if PLAIN_GGUF_NAME.fullmatch(file.path)), None)


def list_hyperparameters(
    training: TrainingConfig, environment: Environment
) -> Iterator[tuple[str, Markup]]:
    """Yield the name and value of what the training was set to, and of what it chose for itself; in bold what was set to other than the default."""
    usual = {field.name: field.default for field in fields(TrainingConfig)} | {
        "learning_rate": environment.default_learning_rate
    }

    def of(name: str, text: str) -> Markup:
        return Markup("**{}**" if getattr(training, name) != usual[name] else "{}").format(text)

    limits = [of("num_train_epochs", f"{training.num_train_epochs:g} epochs")]
    if training.max_steps is not None:
        limits.append(of("max_steps", f"{training.max_steps:,} steps"))
    if training.max_minutes is not None:
        limits.append(of("max_minutes", f"{training.max_minutes:g} minutes"))
    yield "Steps", Markup(f"{environment.steps:,} (at most {Markup(' or ').join(limits)})")
    every = (
        Markup(", one every {}").format(of("eval_steps", f"{training.eval_steps:,} steps"))
        if training.eval_steps
        else ""
    )
    yield (
        "Early stopping",
        Markup("after {} without a better one{}").format(
            of("early_stopping_patience", f"{training.early_stopping_patience} evaluations"), every
        ),
    )
    size = (
        of("batch_size", f"{training.batch_size}"),
        of("block_size", f"{training.block_size:,} tokens"),
    )
    yield (
        "Batch",
        Markup("{} × {}, {}").format(*size, "packed" if environment.packed else "padded"),
    )
    decay, norm = (
        of("weight_decay", f"{training.weight_decay:g}"),
        of("max_grad_norm", f"{training.max_grad_norm:g}"),
    )
    yield (
        "Optimizer",
        Markup("AdamW, weight decay {}, gradients clipped to a norm of {}").format(decay, norm),
    )
    rate = Markup("{} at its peak, after a warm-up of {} of the steps; then a cosine to zero")
    yield (
        "Learning rate",
        rate.format(
            of("learning_rate", f"{training.learning_rate:g}"),
            of("warmup_ratio", f"{100 * training.warmup_ratio:g} %"),
        ),
    )
    if training.lora:
        yield "LoRA rank", of("lora_r", f"{training.lora_r}")
    yield (
        "Precision",
        Markup(
            escape_markdown(
                "fp32" if environment.mixed_precision == "no" else environment.mixed_precision
            )
        ),
    )
    yield "Seed", of("seed", f"{training.seed}")


def format_duration(seconds: float) -> str:
    """Write a time in its two largest units: "2 h 5 min", "1 min 1 s", "0.4 s"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours:,} h {minutes} min"
        if hours
        else f"{minutes} min {rest} s"
        if minutes
        else f"{rest} s"
    )


def list_scores(record: RunRecord, metrics: Metrics) -> Iterator[tuple[str, Metrics]]:
    """Yield whose held-out posts were scored, and their scores: each author's, and all, where there is more than one."""
    if len(record.profiles) > 1:
        for profile, scored in zip(record.profiles, record.metrics_by_author, strict=True):
            yield f"@{profile.handle}", scored
        yield "all", metrics
    else:
        yield f"@{record.profiles[0].handle}", metrics
