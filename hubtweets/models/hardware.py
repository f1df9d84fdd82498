"""What the machine can do, and what fits into it."""

import os
import platform
from typing import Any

import psutil
import torch
from accelerate.utils import parse_flag_from_env
from transformers import PreTrainedModel

MAX_CPU_TOKENS = 256  # in a forward pass on a CPU: more make it hardly faster, and hold more memory


def choose_precision() -> str:
    """Return Accelerate's `mixed_precision`.

    It is what `accelerate launch` was told, else bf16 if the hardware multiplies in it, else fp32
    ("no").
    """
    if told := os.environ.get("ACCELERATE_MIXED_PRECISION"):
        return told
    on_cpu = parse_flag_from_env("ACCELERATE_USE_CPU")
    if torch.cuda.is_available() and not on_cpu:
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "no"
    if torch.backends.mps.is_available() and not on_cpu:
        return "no"
    cpu = get_cpu_capabilities()
    # Without these two, bf16 on a CPU is emulated and 60 to 200 times slower.
    return "bf16" if cpu.get("avx512_bf16") or cpu.get("amx_bf16") else "no"


def get_device_name(device: torch.device) -> str:
    """Return what the hardware calls itself."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return str(get_cpu_capabilities().get("cpu_name") or platform.processor() or device.type)


def get_cpu_capabilities() -> dict[str, Any]:
    """Return what the CPU can do, as torch names it; an older torch says nothing."""
    return getattr(torch.cpu, "get_capabilities", dict)()


def estimate_micro_batch_tokens(
    model: PreTrainedModel, block_size: int, device: torch.device
) -> int:
    """Return how many tokens one forward and backward pass may hold.

    The number is a multiple of `block_size`, and half of the free memory has room for it.
    Activations take `34 h + 5 a s` values of two bytes a token and layer (h width, a heads, s block
    size; Korthikanti et al., Reducing Activation Recomputation in Large Transformer Models, 2022),
    counted twice for fp32. Logits, their softmax and their gradient take four bytes each.
    """
    config = model.config.get_text_config()
    layers, width, heads = (
        config.num_hidden_layers,
        config.hidden_size,
        getattr(config, "num_attention_heads", 1),
    )
    per_token = 2 * 2 * layers * (34 * width + 5 * heads * block_size) + 3 * 4 * config.vocab_size
    # Gradients and Adam's two moments, yet to come.
    training_state = 12 * sum(p.numel() for p in model.parameters() if p.requires_grad)
    tokens = (get_free_bytes(device) - training_state) // 2 // per_token
    if device.type == "cpu":
        tokens = min(tokens, MAX_CPU_TOKENS)
    return max(1, tokens // block_size) * block_size


def get_free_bytes(device: torch.device) -> int:
    """Return the bytes that are free where the model is trained."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    return psutil.virtual_memory().available


def choose_device() -> torch.device:
    """Return this process's GPU if there is one, as Accelerate will choose it, else the CPU."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is None or parse_flag_from_env("ACCELERATE_USE_CPU"):
        return torch.device("cpu")
    return torch.device(
        accelerator.type, int(os.environ.get("LOCAL_RANK", "0")) % torch.accelerator.device_count()
    )
