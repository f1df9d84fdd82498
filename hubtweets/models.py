"""Models and tokenizers in and out of folders.

In: a base. Out: the model in fp32 with a tokenizer made ready for texts that begin and end; and back, into a folder that `pipeline()` loads.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from tokenizers.processors import TemplateProcessing
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils import logging

from hubtweets.errors import HubtweetsError
from hubtweets.record import Base

MAX_NEW_TOKENS = 160

logging.set_verbosity_error()  # its hints are for people who write code
logging.disable_progress_bar()


def load(base: Base, location: str) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Load a base at its revision; raise HubtweetsError where it is no causal language model with safetensors weights."""
    revision = base.revision if base.on_hub else None
    try:
        tokenizer = load_tokenizer(location, revision)
        model = load_model(location, revision)
    except Exception as error:  # transformers raises a dozen kinds for a model that is hurt, foreign or half there
        reason = str(error).strip().partition("\n")[0]
        raise HubtweetsError(f"{base.id}: can't be loaded as a causal language model ({reason}); try --base tiny") from None
    model.generation_config = generation_config(tokenizer)
    if tokenizer.pad_token_id == tokenizer.eos_token_id:
        model.config.pad_token_id = None  # else transformers takes the BOS before every prompt for padding, and warns; generation_config has it
    return model, tokenizer


def load_tokenizer(location: str, revision: str | None = None) -> PreTrainedTokenizerFast:
    """Load a tokenizer so that it puts BOS (or EOS where there is no BOS) before a prompt, with a pad token.

    It is wrapped in the plain fast class, for classes such as GPT2Tokenizer build their own post-processor when loaded and drop this one.
    """
    loaded = AutoTokenizer.from_pretrained(location, revision=revision, trust_remote_code=False)
    eos = loaded.eos_token
    if eos is None:
        raise ValueError("its tokenizer has no EOS")
    bos = loaded.bos_token or eos
    backend = loaded.backend_tokenizer
    backend.post_processor = TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, loaded.convert_tokens_to_ids(bos))])
    limit = loaded.model_max_length
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token=bos, eos_token=eos, pad_token=loaded.pad_token or eos, model_max_length=limit)


def generation_config(tokenizer: PreTrainedTokenizerFast) -> GenerationConfig:
    """Return the settings that `pipeline()` will generate with: the original's sampling, and an end."""
    return GenerationConfig(
        do_sample=True,
        temperature=1.0,
        top_p=0.95,
        top_k=0,  # transformers' default of 50 would cut the tail a second time
        max_new_tokens=MAX_NEW_TOKENS,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, repo: Path, old: Sequence[Path]) -> list[Path]:
    """Put weights, configs and tokenizer into the repo folder in place of the old files, and return what was written."""
    fresh = repo.parent / "writing"
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        model.save_pretrained(fresh)
        tokenizer.save_pretrained(fresh)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise HubtweetsError(f"{repo}: the weights can't be written ({error}); free some disk space and type the command again") from None
    for path in old:
        path.unlink(missing_ok=True)
    written = [repo / path.name for path in sorted(fresh.iterdir())]
    for path in written:
        os.replace(fresh / path.name, path)
    fresh.rmdir()
    return written


def load_repo(repo: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Load what `save` wrote."""
    try:
        return load_model(str(repo)), AutoTokenizer.from_pretrained(repo)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise HubtweetsError(f"{repo}: the weights can't be loaded ({reason}); type: hubtweets train {repo.parent.name}") from None


def load_model(location: str, revision: str | None = None) -> PreTrainedModel:
    """Load weights from safetensors alone, with no code of the model's own, in fp32, onto the GPU where there is one."""
    settings = {"dtype": torch.float32, "use_safetensors": True, "trust_remote_code": False}
    return AutoModelForCausalLM.from_pretrained(location, revision=revision, **settings).to(device())


def context_of(model: PreTrainedModel) -> int | None:
    """Return the tokens that a model can read at once, or None where it has no bound."""
    return getattr(model.config.get_text_config(), "max_position_embeddings", None)


def device() -> torch.device:
    """Return the GPU where there is one, else the CPU."""
    return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
