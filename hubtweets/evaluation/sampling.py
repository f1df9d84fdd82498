"""Texts that a model makes, and whether it could have made a text.

In: a model, its tokenizer, a prompt, a seed. Out: texts that start with the prompt, made with the
model's own generation settings, as `pipeline("text-generation")` makes them (which with some
tokenizers loses the space after the prompt).
"""

from collections.abc import Iterator

import torch
from accelerate.utils import set_seed
from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerFast

from hubtweets.errors import HubtweetsError
from hubtweets.models.probing import get_context_length
from hubtweets.text import replace_surrogates

TEXTS_PER_BATCH = 20  # texts; of GPT-2, each takes 20 MB while it is made
# Of a probability that other hardware, or another kernel, may compute otherwise.
PROBABILITY_TOLERANCE = 1e-3


def generate(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, prompt: str, count: int, seed: int
) -> list[str]:
    """Return `count` texts that start with the prompt.

    They are the same for the same seed on the same machine. Raises HubtweetsError if the prompt is
    too long.
    """
    return list(generate_stream(model, tokenizer, prompt, count, seed))


@torch.no_grad()
def generate_stream(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, prompt: str, count: int, seed: int
) -> Iterator[str]:
    """Yield what `generate` returns, some at a time.

    Only the texts that are made together are in memory together.
    """
    model.eval()
    set_seed(seed)
    prompt = replace_surrogates(prompt)
    inputs = encode_prompt(model, tokenizer, prompt)
    # A text is decoded with its prompt, or some tokenizers lose the space after the prompt.
    start = len(tokenizer.decode(inputs["input_ids"][0], skip_special_tokens=True))
    for made in range(0, count, TEXTS_PER_BATCH):
        sequences = model.generate(
            **inputs, num_return_sequences=min(TEXTS_PER_BATCH, count - made)
        )
        yield from (
            prompt + text[start:]
            for text in tokenizer.batch_decode(sequences, skip_special_tokens=True)
        )


def encode_prompt(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, prompt: str
) -> BatchEncoding:
    """Return a prompt's tokens, [1, tokens].

    Raises HubtweetsError if they leave the model no room to go on.
    """
    inputs = tokenizer(prompt, return_tensors="pt", return_token_type_ids=False).to(model.device)
    length, context = inputs["input_ids"].shape[1], get_context_length(model)
    if context and length + model.generation_config.max_new_tokens > context:
        most = context - model.generation_config.max_new_tokens
        raise HubtweetsError(
            f"a prompt of {length} tokens is too long for this model; give {most} tokens at most"
        )
    return inputs


@torch.no_grad()
def can_generate(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, prompt: str, text: str
) -> bool:
    """Tell whether the model, with its settings, can go on from the prompt to this very text.

    It can if each token, and the end, may be drawn there. The result is False for a text that a
    model wrote in other tokens than its tokenizer would.
    """
    settings = model.generation_config
    start, ids = (
        tokenizer(words, return_tensors="pt", return_token_type_ids=False)["input_ids"][0].to(
            model.device
        )
        for words in (prompt, text)
    )
    added, context = len(ids) - len(start), get_context_length(model)
    if (
        added < 1
        or added > settings.max_new_tokens
        or not torch.equal(ids[: len(start)], start)
        or (context and len(ids) > context)
    ):
        return False
    if added < settings.max_new_tokens:  # it ended by itself
        ids = torch.cat([ids, ids.new_tensor([settings.eos_token_id])])
    model.eval()
    logits = model(input_ids=ids[None, :-1]).logits[0, len(start) - 1 :].float()
    probabilities = (logits / (settings.temperature or 1.0)).softmax(-1)
    drawn = probabilities.gather(-1, ids[len(start) :, None])
    likelier = probabilities > drawn
    nucleus = (probabilities * likelier).sum(-1) < (settings.top_p or 1.0) + PROBABILITY_TOLERANCE
    return bool(nucleus.all()) and not (
        settings.top_k and (likelier.sum(-1) >= settings.top_k).any()
    )
