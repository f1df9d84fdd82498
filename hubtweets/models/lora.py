"""Low-rank adapters: added to a model, merged into it."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from transformers import PreTrainedModel

from hubtweets.errors import HubtweetsError
from hubtweets.record.run_record import Base

if TYPE_CHECKING:
    from peft import PeftModel


def check_peft() -> None:
    """Raise HubtweetsError if peft is not installed."""
    try:
        import peft  # noqa: F401
    except ImportError:
        raise HubtweetsError("LoRA needs peft; type: pip install 'hubtweets[lora]'") from None


def add_adapter(model: PreTrainedModel, rank: int, seed: int, base: Base) -> "PeftModel":
    """Freeze the model and give each of its linear layers a low-rank adaptation.

    The adaptation changes nothing until it is trained. All layers get one, as Biderman et al.
    advise (LoRA Learns Less and Forgets Less, 2024), and alpha = 2 x rank, as is common. Raises
    HubtweetsError if peft is missing or knows no way to adapt the model.
    """
    check_peft()
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    try:
        with warnings.catch_warnings(), torch.random.fork_rng():
            # peft warns of GPT-2's transposed matrices, which it then handles.
            warnings.simplefilter("ignore")
            torch.manual_seed(seed)
            adapted = get_peft_model(model, config)
    except ValueError as error:
        reason = str(error).strip().partition("\n")[0]
        raise HubtweetsError(
            f"{base.id}: peft can't adapt it ({reason}); train every weight of it, without --lora"
        ) from None
    # peft puts the folder that the base was loaded from.
    config.base_model_name_or_path = base.id if base.on_hub else None
    config.revision = base.revision if base.on_hub else None
    return adapted


def merge_adapter(model: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """Return the untouched base with the adapter in the folder added to its weights."""
    check_peft()
    from peft import PeftModel

    return PeftModel.from_pretrained(model, str(folder)).merge_and_unload()
