"""The table of hyperparameters on the card.

In: the training config and what the training chose for itself. Out: one row per hyperparameter,
with the settings that differ from their defaults in bold.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from markupsafe import Markup

from hubtweets.config import TrainingConfig
from hubtweets.record.run_record import Environment
from hubtweets.text import escape_markdown


@dataclass(frozen=True)
class Hyperparameter:
    """A row of the table, and whether all the settings in it have their default values."""

    name: str
    value: Markup
    is_default: bool


def list_hyperparameters(
    training: TrainingConfig, environment: Environment
) -> Iterator[Hyperparameter]:
    """Yield the rows of the table, in the order of the card."""
    changed = find_changed_settings(training, environment)

    def row(name: str, text: str, **settings: str) -> Hyperparameter:
        """Fill the settings, by their names in TrainingConfig, into the text of a row."""
        values = {
            setting: Markup("**{}**" if setting in changed else "{}").format(value)
            for setting, value in settings.items()
        }
        return Hyperparameter(name, Markup(text).format(**values), changed.isdisjoint(settings))

    limits = format_limits(training)
    at_most = " or ".join(f"{{{setting}}}" for setting in limits)
    yield row("Steps", f"{environment.steps:,} (at most {at_most})", **limits)
    yield row(
        "Early stopping",
        "{early_stopping_patience}" + (", one every {eval_steps}" if training.eval_steps else ""),
        early_stopping_patience=f"{training.early_stopping_patience} evaluations",
        eval_steps=f"{training.eval_steps or 0:,} steps",
    )
    yield row(
        "Batch",
        "{batch_size} × {block_size}, " + ("packed" if environment.packed else "padded"),
        batch_size=f"{training.batch_size}",
        block_size=f"{training.block_size:,} tokens",
    )
    yield row(
        "Optimizer",
        "AdamW, weight decay {weight_decay}, gradient norm {max_grad_norm}",
        weight_decay=f"{training.weight_decay:g}",
        max_grad_norm=f"{training.max_grad_norm:g}",
    )
    yield row(
        "Learning rate",
        "{learning_rate}, cosine, warm-up {warmup_ratio}",
        learning_rate=f"{training.learning_rate:g}",
        warmup_ratio=f"{100 * training.warmup_ratio:g} %",
    )
    if training.lora:
        yield row("LoRA rank", "{lora_r}", lora_r=f"{training.lora_r}")
    yield Hyperparameter("Precision", format_precision(environment.mixed_precision), True)
    yield row("Seed", "{seed}", seed=f"{training.seed}")


def find_changed_settings(training: TrainingConfig, environment: Environment) -> set[str]:
    """Return the names of the settings that differ from their defaults.

    The default learning rate depends on the base model, so it comes from the environment.
    """
    defaults = {field.name: field.default for field in fields(TrainingConfig)}
    defaults["learning_rate"] = environment.default_learning_rate
    return {name for name, default in defaults.items() if getattr(training, name) != default}


def format_limits(training: TrainingConfig) -> dict[str, str]:
    """Return the limits on the length of the training, by the names of their settings."""
    limits = {"num_train_epochs": f"{training.num_train_epochs:g} epochs"}
    if training.max_steps is not None:
        limits["max_steps"] = f"{training.max_steps:,} steps"
    if training.max_minutes is not None:
        limits["max_minutes"] = f"{training.max_minutes:g} minutes"
    return limits


def format_precision(mixed_precision: str) -> Markup:
    """Return the number format of the training, which accelerate calls "no" for fp32."""
    return Markup(escape_markdown("fp32" if mixed_precision == "no" else mixed_precision))
