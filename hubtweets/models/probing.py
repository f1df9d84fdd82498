"""What a model can do.

It is found out by running the model, not by its name, so that a new architecture needs no line
here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from transformers import PreTrainedModel
from transformers.activations import NewGELUActivation

if TYPE_CHECKING:
    from peft import PeftModel


# Of the largest logit. Rounding makes less than a tenth of that, a token that should not have been
# seen makes a hundred times more.
LOGIT_TOLERANCE = 1e-5


@contextmanager
def optimized(model: "PreTrainedModel | PeftModel") -> Iterator[None]:
    """Make a model quicker on short packed blocks.

    What it computes and what is saved of it stay the same. `gelu_new`, GPT-2's activation, is six
    operations that torch has as one. On a CPU, a mask for packed documents makes sdpa slower than
    the plain product of matrices.
    """
    places = []
    for module in model.modules():
        for name, child in module.named_children():
            if isinstance(child, NewGELUActivation):
                places.append((module, name, child))
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
    """Tell whether no token changes what the model predicts before it."""
    ids = make_token_ids(model, 16)
    changed = ids.clone()
    changed[:, -1] = ids[:, 0]
    with eval_mode(model):
        before, after = model(input_ids=ids).logits[:, :-1], model(input_ids=changed).logits[:, :-1]
    # A broken model, whose logits are nan, counts as causal.
    return not (after - before).abs().max() > LOGIT_TOLERANCE * before.abs().max()


def can_pack(model: "PreTrainedModel | PeftModel") -> bool:
    """Tell whether the model keeps documents in a row apart if the position ids start again.

    Its attention stays as it is now. The model is run as in training, without a mask or a cache:
    each document alone, and all of them in a row. Models that hand on a state, or find positions by
    themselves, are told by their results.
    """
    ids = make_token_ids(model, 60)
    documents = ids.split([20, 13, 27], dim=1)
    positions = [torch.arange(document.shape[1], device=ids.device)[None] for document in documents]
    try:
        with eval_mode(model):
            alone = [
                model(input_ids=d, position_ids=p, use_cache=False).logits
                for d, p in zip(documents, positions, strict=True)
            ]
            packed = model(
                input_ids=ids, position_ids=torch.cat(positions, 1), use_cache=False
            ).logits
    except Exception:  # each architecture has its own way to refuse position ids
        return False
    apart = torch.cat(alone, 1)
    return bool((packed - apart).abs().max() <= LOGIT_TOLERANCE * apart.abs().max())


def make_token_ids(model: "PreTrainedModel | PeftModel", count: int) -> torch.Tensor:
    """Return different token ids, the same each time, [1, count]."""
    generator = torch.Generator().manual_seed(0)
    return torch.randperm(model.config.get_text_config().vocab_size, generator=generator)[
        None, :count
    ].to(model.device)


@contextmanager
def eval_mode(model: "PreTrainedModel | PeftModel") -> Iterator[None]:
    """Run without dropout or gradients, then put each part of the model into its mode again."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training


def get_context_length(model: "PreTrainedModel | PeftModel") -> int | None:
    """Return the tokens that a model can read at once, or None if it has no bound."""
    return getattr(model.config.get_text_config(), "max_position_embeddings", None)
