"""Models and tokenizers in and out of folders.

In: a base. Out: the model in fp32 with a tokenizer made ready for texts that begin and end; and back, into a folder that `pipeline()` loads.
What a model can do is found out by running it, not by its name, so that a new architecture needs no line here.
"""

import json
import os
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from accelerate.utils import parse_flag_from_env
from safetensors import SafetensorError
from tokenizers.processors import TemplateProcessing
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, PreTrainedModel, PreTrainedTokenizerFast
from transformers.activations import NewGELUActivation
from transformers.utils import logging

from hubtweets import files as atomic
from hubtweets.base.contents import REMOTE_CODE
from hubtweets.errors import HubtweetsError
from hubtweets.record.run_record import Base
from hubtweets.record.samples import SETTINGS

if TYPE_CHECKING:
    from peft import PeftModel

ADAPTER = "adapter_config.json"
SAME = 1e-5  # of the largest logit; rounding makes less than a tenth of that, a token that should not have been seen makes a hundred times more

logging.set_verbosity_error()  # its hints are for people who write code
logging.disable_progress_bar()


def load(base: Base, location: str) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Load a base at its revision; raise HubtweetsError where it is no causal language model with safetensors weights."""
    revision = base.revision if base.on_hub else None
    try:
        tokenizer = load_tokenizer(location, revision)
        model = load_model(location, revision)
        if tokenizer.pad_token_id >= model.get_input_embeddings().num_embeddings:  # some add a pad token that the model knows nothing of
            tokenizer.pad_token = tokenizer.eos_token
        causal = is_causal(model)
    except Exception as error:  # transformers raises a dozen kinds for a model that is hurt, foreign or half there
        reason = str(error).strip().partition("\n")[0]
        raise HubtweetsError(f"{base.id}: can't be loaded as a causal language model ({reason}); try --base tiny") from None
    if not causal:
        raise HubtweetsError(f"{base.id}: reads ahead, so it is no causal language model; try --base tiny")
    set_generation(model, generation_config(tokenizer))
    for key in REMOTE_CODE & set(vars(model.config)):  # the code stays behind, and what is published must not ask for it
        delattr(model.config, key)
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


def load_model(location: str, revision: str | None = None) -> PreTrainedModel:
    """Load weights from safetensors alone, with no code of the model's own, in fp32, onto this process's GPU where there is one."""
    settings = {"dtype": torch.float32, "use_safetensors": True, "trust_remote_code": False}
    return AutoModelForCausalLM.from_pretrained(location, revision=revision, **settings).to(device())


def load_repo(repo: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Load what `install` put into the repo folder; raise HubtweetsError where it can't be."""
    try:
        return read_repo(repo)
    except HubtweetsError:
        raise
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise HubtweetsError(f"{repo}: the weights can't be loaded ({reason}); type: hubtweets train {repo.parent.name}") from None


def read_repo(repo: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Load a model's folder, an adapter with its base at the revision that it was trained on; raise whatever transformers raises."""
    adapter = repo / ADAPTER
    if adapter.exists():
        check_peft()
    revision = json.loads(adapter.read_text(encoding="utf-8"))["revision"] if adapter.exists() else None
    model, tokenizer = load_model(str(repo), revision), AutoTokenizer.from_pretrained(repo, trust_remote_code=False)
    if adapter.exists():  # transformers takes the base's settings
        set_generation(model, GenerationConfig.from_pretrained(repo))
    return model, tokenizer


def generation_config(tokenizer: PreTrainedTokenizerFast) -> GenerationConfig:
    """Return the settings that `pipeline()` will generate with: the original's sampling, and an end."""
    return GenerationConfig(
        do_sample=True,
        **SETTINGS,  # its top_k of 0 stands there because transformers' default of 50 would cut the tail a second time
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def set_generation(model: PreTrainedModel, settings: GenerationConfig) -> None:
    model.generation_config = settings
    if settings.pad_token_id == settings.eos_token_id:
        model.config.pad_token_id = None  # else transformers takes the BOS before every prompt for padding, and warns; generation_config has it


def write_weights(model: "PreTrainedModel | PeftModel", folder: Path, state_dict: dict[str, Any] | None = None) -> None:
    """Write a model's weights and configs, of a model with an adapter the adapter alone, into a fresh folder, whole or not at all.

    `state_dict` are weights that were gathered from several processes. Raises HubtweetsError where they can't be written.
    """
    shutil.rmtree(folder, ignore_errors=True)
    try:
        if isinstance(model, PreTrainedModel):
            model.save_pretrained(folder, state_dict=state_dict)
        else:
            model.save_pretrained(str(folder), state_dict=state_dict, save_embedding_layers=False)
            (folder / "README.md").unlink()
            model.generation_config.save_pretrained(folder)
            config = json.loads((folder / ADAPTER).read_text(encoding="utf-8"))
            config["target_modules"].sort()  # peft has a set, whose order differs from process to process
            (folder / ADAPTER).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    except (OSError, SafetensorError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise cannot_write(folder, error) from None


def install(folder: Path, tokenizer: PreTrainedTokenizerFast, repo: Path, old: Sequence[Path]) -> list[Path]:
    """Copy what `write_weights` wrote with the tokenizer into the repo folder in place of the old files, and return what is there now.

    Raises HubtweetsError where the tokenizer can't be written; the repo is then as it was, and the weights are where they were.
    """
    try:
        tokenizer.save_pretrained(folder)
    except OSError as error:
        raise cannot_write(repo, error) from None
    for path in old:
        path.unlink(missing_ok=True)
    written = [repo / path.name for path in sorted(folder.iterdir())]
    for path in written:
        with atomic.replace_atomically(path) as partial:
            shutil.copyfile(folder / path.name, partial)
    return written


def cannot_write(folder: Path, error: Exception) -> HubtweetsError:
    return HubtweetsError(f"{folder}: the weights can't be written ({error}); free some disk space and type the command again")


def check_peft() -> None:
    """Raise HubtweetsError where peft is not installed."""
    try:
        import peft  # noqa: F401
    except ImportError:
        raise HubtweetsError("LoRA needs peft; type: pip install 'hubtweets[lora]'") from None


def adapt(model: PreTrainedModel, rank: int, seed: int, base: Base) -> "PeftModel":
    """Freeze the model and give each of its linear layers a low-rank adaptation, which changes nothing until it is trained.

    All layers, as Biderman et al. advise (LoRA Learns Less and Forgets Less, 2024), and alpha = 2 x rank, as is common. Raises HubtweetsError
    where peft is missing or knows no way to adapt the model.
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
            warnings.simplefilter("ignore")  # it warns of GPT-2's transposed matrices, which it then handles
            torch.manual_seed(seed)
            adapted = get_peft_model(model, config)
    except ValueError as error:
        reason = str(error).strip().partition("\n")[0]
        raise HubtweetsError(f"{base.id}: peft can't adapt it ({reason}); train every weight of it, without --lora") from None
    config.base_model_name_or_path = base.id if base.on_hub else None  # peft puts the folder that the base was loaded from
    config.revision = base.revision if base.on_hub else None
    return adapted


def merge(base: Base, location: str, folder: Path) -> PreTrainedModel:
    """Load the base again and add the adapter in the folder to its weights; what comes out is a model as any other."""
    check_peft()
    from peft import PeftModel

    model, _ = load(base, location)
    return PeftModel.from_pretrained(model, str(folder)).merge_and_unload()


@contextmanager
def fast(model: "PreTrainedModel | PeftModel") -> Iterator[None]:
    """Make a model quicker on short packed blocks; what it computes and what is saved of it stay the same.

    `gelu_new`, GPT-2's activation, is six operations that torch has as one. On a CPU, a mask for packed documents makes sdpa slower than the plain
    product of matrices.
    """
    places = [(module, name, child) for module in model.modules() for name, child in module.named_children() if isinstance(child, NewGELUActivation)]
    attention = model.config._attn_implementation
    for module, name, _ in places:
        setattr(module, name, torch.nn.GELU(approximate="tanh"))
    if model.device.type == "cpu":
        model.set_attn_implementation("eager")
    try:
        yield
    finally:
        for module, name, child in places:
            setattr(module, name, child)
        if model.config._attn_implementation != attention:
            model.set_attn_implementation(attention)


def is_causal(model: PreTrainedModel) -> bool:
    """Tell whether no token changes what the model foretells before it."""
    ids = some_tokens(model, 16)
    changed = ids.clone()
    changed[:, -1] = ids[:, 0]
    with at_rest(model):
        before, after = model(input_ids=ids).logits[:, :-1], model(input_ids=changed).logits[:, :-1]
    return not (after - before).abs().max() > SAME * before.abs().max()  # of a model that is hurt (nan) this says nothing


def can_pack(model: "PreTrainedModel | PeftModel") -> bool:
    """Tell whether the model keeps documents in a row apart where the position ids start again, with its attention as it is now.

    It is run as in training, without a mask or a cache: each document alone, and all of them in a row. Models that hand on a state, or find
    positions by themselves, are told by their results.
    """
    ids = some_tokens(model, 60)
    documents = ids.split([20, 13, 27], dim=1)
    positions = [torch.arange(document.shape[1], device=ids.device)[None] for document in documents]
    try:
        with at_rest(model):
            alone = [model(input_ids=d, position_ids=p, use_cache=False).logits for d, p in zip(documents, positions, strict=True)]
            packed = model(input_ids=ids, position_ids=torch.cat(positions, 1), use_cache=False).logits
    except Exception:  # each architecture has its own way to refuse position ids
        return False
    apart = torch.cat(alone, 1)
    return bool((packed - apart).abs().max() <= SAME * apart.abs().max())


def some_tokens(model: "PreTrainedModel | PeftModel", count: int) -> torch.Tensor:
    """Return different token ids, the same each time, [1, count]."""
    generator = torch.Generator().manual_seed(0)
    return torch.randperm(model.config.get_text_config().vocab_size, generator=generator)[None, :count].to(model.device)


@contextmanager
def at_rest(model: "PreTrainedModel | PeftModel") -> Iterator[None]:
    """Without dropout or gradients; after that each part of the model is in the mode that it was in."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training


def context_of(model: "PreTrainedModel | PeftModel") -> int | None:
    """Return the tokens that a model can read at once, or None where it has no bound."""
    return getattr(model.config.get_text_config(), "max_position_embeddings", None)


def device() -> torch.device:
    """Return this process's GPU where there is one, as Accelerate will choose it, else the CPU."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is None or parse_flag_from_env("ACCELERATE_USE_CPU"):
        return torch.device("cpu")
    return torch.device(accelerator.type, int(os.environ.get("LOCAL_RANK", "0")) % torch.accelerator.device_count())
