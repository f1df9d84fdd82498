"""Texts that a model makes.

In: a model, its tokenizer, a prompt, a seed. Out: texts that start with the prompt, made with the model's own generation settings, as
`pipeline("text-generation")` makes them.
"""

import torch
from accelerate.utils import set_seed
from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerFast

from hubtweets.errors import HubtweetsError
from hubtweets.models import context_of
from hubtweets.posts import well_formed


@torch.no_grad()
def generate(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, prompt: str, count: int, seed: int) -> list[str]:
    """Return `count` texts that start with the prompt, the same for the same seed on the same machine; raise HubtweetsError for a long prompt."""
    model.eval()
    set_seed(seed)
    prompt = well_formed(prompt)
    inputs = encode(model, tokenizer, prompt)
    sequences = model.generate(**inputs, num_return_sequences=count)
    return [prompt + text for text in tokenizer.batch_decode(sequences[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)]


def encode(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, prompt: str) -> BatchEncoding:
    """Return a prompt's tokens, [1, tokens]; raise HubtweetsError where they leave the model no room to go on."""
    inputs = tokenizer(prompt, return_tensors="pt", return_token_type_ids=False).to(model.device)
    length, context = inputs["input_ids"].shape[1], context_of(model)
    if context and length + model.generation_config.max_new_tokens > context:
        most = context - model.generation_config.max_new_tokens
        raise HubtweetsError(f"a prompt of {length} tokens is too long for this model; give {most} tokens at most")
    return inputs
