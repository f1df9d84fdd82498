"""Generates texts with an untrusted model and streams them.

In: a model's files and a prompt. Only safetensors, the tokenizer's tables and safe settings are
used; settings that would fetch or import code are ignored. The last model stays loaded, because the
next prompt is usually for the same one.
"""

import gc
from collections.abc import Callable, Mapping
from copy import copy
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import set_seed
from transformers import (
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    StoppingCriteria,
)

from hubtweets.errors import HubtweetsError
from hubtweets.evaluation.sampling import encode_prompt
from hubtweets.models.probing import get_context_length
from hubtweets.models.untrusted import load_files
from hubtweets.record.samples import MAX_NEW_TOKENS
from hubtweets.text import replace_surrogates

OnText = Callable[[int, str], None]
Usable = tuple[PreTrainedModel, PreTrainedTokenizerFast, GenerationConfig]

MAX_WIDGET_TOKENS = 512  # of a text
MAX_BEAMS = 8
# The generation settings that are taken from a model. Others can compile or fetch code, or take any
# amount of memory.
SAFE_SETTINGS = {
    *("do_sample", "temperature", "top_k", "top_p", "min_p", "typical_p"),
    *("epsilon_cutoff", "eta_cutoff", "renormalize_logits"),
    *("repetition_penalty", "no_repeat_ngram_size"),
    *("num_beams", "length_penalty", "early_stopping", "max_new_tokens", "min_new_tokens"),
    *("bos_token_id", "eos_token_id", "pad_token_id"),
}

loaded: dict[str, Usable] = {}


class TokenHook(StoppingCriteria):
    """Calls a function before each token; it stops the generation by raising.

    Unlike a streamer it also works with beam search.
    """

    def __init__(self, call: Callable[[], None]) -> None:
        self.call = call

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        self.call()
        return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)


@torch.no_grad()
def generate(
    files: Mapping[str, Path],
    repo_id: str,
    commit: str,
    prompt: str,
    count: int,
    seed: int,
    on_text: OnText,
    on_token: Callable[[], None] = lambda: None,
    **settings: float,
) -> None:
    """Generate `count` texts that start with the prompt, and pass their pieces to `on_text`.

    The first text is the one that `sampling.generate` makes of the seed. `settings` replace the
    model's own temperature and max_new_tokens. `on_token` is called before each token and may raise
    to stop. Raises HubtweetsError if the model can't be used.
    """
    model, tokenizer, own = get_model(files, repo_id, commit)
    model.generation_config = change_settings(own, get_context_length(model), settings)
    prompt = replace_surrogates(prompt)
    inputs = encode_prompt(model, tokenizer, prompt)
    if not inputs["input_ids"].numel():
        raise HubtweetsError(f"{repo_id}: its tokenizer knows no token of this prompt")
    set_seed(seed)
    for index in range(count):
        on_text(index, prompt)
        streamer = Streamer(tokenizer, partial(on_text, index))
        beams = model.generation_config.num_beams or 1  # beams are known only at the end
        sequences = model.generate(
            **inputs,
            num_return_sequences=1,
            streamer=streamer if beams == 1 else None,
            stopping_criteria=[TokenHook(on_token)],
        )
        streamer.update(sequences[0, inputs["input_ids"].shape[1] :])


def change_settings(
    own: GenerationConfig, context: int | None, given: Mapping[str, float]
) -> GenerationConfig:
    """Return a model's settings with those given.

    The length is at most half of the context, so that the other half is left for the prompt.
    """
    changed = copy(own)
    if "temperature" in given:
        changed.do_sample, changed.temperature = True, given["temperature"]
    if "max_new_tokens" in given:
        longest = min(MAX_WIDGET_TOKENS, (context or 2 * MAX_WIDGET_TOKENS) // 2)
        changed.max_new_tokens = min(int(given["max_new_tokens"]), longest)
    return changed


def get_model(files: Mapping[str, Path], repo_id: str, commit: str) -> Usable:
    """Return the loaded model, or load it in place of the last one."""
    key = f"{repo_id} {commit}"
    if key not in loaded:
        if loaded:
            loaded.clear()  # first, so that only one model is in memory
            gc.collect()  # which takes a third of a second
        loaded[key] = load_model(files, repo_id)
    return loaded[key]


def load_model(files: Mapping[str, Path], repo_id: str) -> Usable:
    """Load a repo's model from local files only, with its safe settings.

    Raises HubtweetsError if it is no text generation model, or asks for too many beams.
    """
    model, tokenizer = load_files(files, repo_id)
    found = model.generation_config.to_dict()
    settings = GenerationConfig(**{name: found[name] for name in SAFE_SETTINGS & found.keys()})
    half_context = (get_context_length(model) or MAX_NEW_TOKENS * 2) // 2
    default = min(MAX_NEW_TOKENS, half_context)
    settings.max_new_tokens = min(settings.max_new_tokens or default, MAX_WIDGET_TOKENS)
    beams = settings.num_beams or 1
    if beams > MAX_BEAMS:
        raise HubtweetsError(
            f"{repo_id}: its num_beams is {beams}, and at most {MAX_BEAMS} are allowed here"
        )
    return model, tokenizer, settings


class Streamer:
    """Streams the text that `generate` adds to a prompt, in whole characters."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, on_text: Callable[[str], None]) -> None:
        self.tokenizer, self.on_text, self.sent = tokenizer, on_text, ""
        self.tokens: torch.Tensor | None = None

    def put(self, tokens: torch.Tensor) -> None:
        if self.tokens is None:  # the prompt comes first
            self.tokens = tokens.new_empty(0)
            return
        self.tokens = torch.cat([self.tokens, tokens])
        self.update(self.tokens, is_complete=False)

    def end(self) -> None:
        """Do nothing: `generate` sends the rest once it has all tokens."""

    def update(self, tokens: torch.Tensor, is_complete: bool = True) -> None:
        """Send what is new in the decoded tokens, but no incomplete character."""
        text = self.tokenizer.decode(tokens, skip_special_tokens=True)
        if len(text) > len(self.sent) and (is_complete or not text.endswith("\ufffd")):
            self.on_text(text[len(self.sent) :])
            self.sent = text
