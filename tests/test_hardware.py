import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from hubtweets.models import hardware


def test_precision_follows_the_hardware(monkeypatch: pytest.MonkeyPatch) -> None:
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("this machine has an accelerator")
    monkeypatch.delenv("ACCELERATE_MIXED_PRECISION", raising=False)
    for capabilities, expected in (
        ({}, "no"),
        ({"avx512_f": True}, "no"),
        ({"avx512_bf16": True}, "bf16"),
        ({"amx_bf16": True}, "bf16"),
    ):
        monkeypatch.setattr(
            torch.cpu, "get_capabilities", lambda capabilities=capabilities: capabilities, False
        )
        assert hardware.choose_precision() == expected
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert hardware.choose_precision() == "no"
    assert hardware.get_device_name(torch.device("cpu"))


def test_a_launcher_that_says_a_precision_has_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    for told in ("no", "fp16", "bf16"):
        monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", told)
        assert hardware.choose_precision() == told


def test_a_micro_batch_is_what_half_of_the_free_memory_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = GPT2LMHeadModel(GPT2Config(vocab_size=1000, n_embd=64, n_layer=2, n_head=4))
    state = 12 * model.num_parameters()
    per_token = (
        2 * 2 * 2 * (34 * 64 + 5 * 4 * 128) + 3 * 4 * 1000
    )  # a block of 128 tokens, two layers
    cuda = torch.device("cuda")
    for free, tokens in (
        (0, 128),
        (state, 128),
        (state + 2 * 128 * per_token, 128),
        (state + 2 * 900 * per_token, 896),
        (10**12, 10**12 // 2 // per_token),
    ):
        monkeypatch.setattr(hardware, "get_free_bytes", lambda device, free=free: free)
        found = hardware.estimate_micro_batch_tokens(model, 128, cuda)
        assert found % 128 == 0 and tokens - 128 < found <= max(tokens, 128)
    assert hardware.estimate_micro_batch_tokens(model, 128, torch.device("cpu")) == 256
    assert (
        hardware.estimate_micro_batch_tokens(model, 1024, torch.device("cpu")) == 1024
    )  # one block at least
