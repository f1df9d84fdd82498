"""Models and tokenizers in and out of folders.

In: a base. Out: the model in fp32 with a tokenizer made ready for texts that begin and end; and
back, into a folder that `pipeline()` loads. What a model can do is found out by running it, not by
its name, so that a new architecture needs no line here.
"""

import json
from pathlib import Path

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging

from hubtweets.errors import HubtweetsError
from hubtweets.models.hardware import choose_device
from hubtweets.models.inspection import ADAPTER_CONFIG, REMOTE_CODE_KEYS
from hubtweets.models.lora import check_peft
from hubtweets.models.probing import is_causal
from hubtweets.models.tokenizer import load_tokenizer
from hubtweets.record.run_record import Base
from hubtweets.record.samples import SAMPLING_SETTINGS

logging.set_verbosity_error()  # its hints are for people who write code
logging.disable_progress_bar()


def load_base(base: Base, location: str) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Load a base at its revision.

    Raises HubtweetsError if it is no causal language model with safetensors weights.
    """
    revision = base.revision if base.on_hub else None
    try:
        tokenizer = load_tokenizer(location, revision)
        model = load_model(location, revision)
        # Some tokenizers add a pad token that the model knows nothing of.
        if tokenizer.pad_token_id >= model.get_input_embeddings().num_embeddings:
            tokenizer.pad_token = tokenizer.eos_token
        causal = is_causal(model)
    except Exception as error:
        # transformers raises a dozen kinds for a model that is broken, foreign or half there.
        reason = str(error).strip().partition("\n")[0]
        raise HubtweetsError(
            f"{base.id}: can't be loaded as a causal language model ({reason}); try --base tiny"
        ) from None
    if not causal:
        raise HubtweetsError(
            f"{base.id}: reads ahead, so it is no causal language model; try --base tiny"
        )
    set_generation_config(model, make_generation_config(tokenizer))
    # The code stays behind, and what is published must not ask for it.
    for key in REMOTE_CODE_KEYS & set(vars(model.config)):
        delattr(model.config, key)
    return model, tokenizer


def load_model(location: str, revision: str | None = None) -> PreTrainedModel:
    """Load weights from safetensors alone, in fp32, with no code of the model's own.

    They are loaded onto this process's GPU if there is one.
    """
    settings = {"dtype": torch.float32, "use_safetensors": True, "trust_remote_code": False}
    return AutoModelForCausalLM.from_pretrained(location, revision=revision, **settings).to(
        choose_device()
    )


def load_repo(repo: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Load what `install_weights` put into the repo folder.

    Raises HubtweetsError if it can't be loaded.
    """
    try:
        return load_folder(repo)
    except HubtweetsError:
        raise
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise HubtweetsError(
            f"{repo}: the weights can't be loaded ({reason}); "
            f"type: hubtweets train {repo.parent.name}"
        ) from None


def load_folder(repo: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Load a model's folder.

    An adapter is loaded with its base at the revision that it was trained on. Raises whatever
    transformers raises.
    """
    adapter = repo / ADAPTER_CONFIG
    if adapter.exists():
        check_peft()
    revision = (
        json.loads(adapter.read_text(encoding="utf-8"))["revision"] if adapter.exists() else None
    )
    model, tokenizer = (
        load_model(str(repo), revision),
        AutoTokenizer.from_pretrained(repo, trust_remote_code=False),
    )
    if adapter.exists():  # transformers takes the base's settings
        set_generation_config(model, GenerationConfig.from_pretrained(repo))
    return model, tokenizer


def make_generation_config(tokenizer: PreTrainedTokenizerFast) -> GenerationConfig:
    """Return the settings that `pipeline()` generates with: the original's sampling, and an end."""
    return GenerationConfig(
        do_sample=True,
        # They set top_k to 0 because transformers' default of 50 would cut the tail a second time.
        **SAMPLING_SETTINGS,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def set_generation_config(model: PreTrainedModel, settings: GenerationConfig) -> None:
    model.generation_config = settings
    if settings.pad_token_id == settings.eos_token_id:
        # Else transformers takes the BOS before every prompt for padding, and warns. The
        # generation_config has it.
        model.config.pad_token_id = None
