"""Texts that a model of unknown origin writes, piece by piece.

In: a model's files and a prompt. The model is untrusted, so only its numbers are used: safetensors, a tokenizer's tables and settings, without those
settings that would have code fetched or imported. The last model stays loaded, for the next prompt is mostly its own.
"""

import gc
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import set_seed
from transformers import GenerationConfig, PreTrainedTokenizerFast, StoppingCriteria

from hubtweets.errors import HubtweetsError
from hubtweets.evaluation.sampling import encode_prompt
from hubtweets.models.probing import get_context_length
from hubtweets.models.untrusted import Loaded, load_files
from hubtweets.record.samples import MAX_NEW_TOKENS
from hubtweets.text import replace_surrogates

OnText = Callable[[int, str], None]

MAX_WIDGET_TOKENS = 512
MAX_BEAMS = 8
# the generation settings that are taken from a model; others can compile code, fetch some, or cost any amount of memory
SAFE_SETTINGS = {
    "do_sample",
    "temperature",
    "top_k",
    "top_p",
    "min_p",
    "typical_p",
    "epsilon_cutoff",
    "eta_cutoff",
    "renormalize_logits",
}
SAFE_SETTINGS |= {
    "repetition_penalty",
    "no_repeat_ngram_size",
    "num_beams",
    "length_penalty",
    "early_stopping",
    "max_new_tokens",
    "min_new_tokens",
}
SAFE_SETTINGS |= {"bos_token_id", "eos_token_id", "pad_token_id"}

loaded: dict[str, Loaded] = {}


class TokenHook(StoppingCriteria):
    """Calls a function before each token, which raises to stop; of beams, too, which can't be streamed."""

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
    say: OnText,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Write `count` texts that start with the prompt and say them piece by piece, with their index; raise HubtweetsError if the repo can't.

    The first is what `sampling.generate` makes of the seed; what `check`, which is called before each token, raises ends it all.
    """
    key = f"{repo_id} {commit}"
    if key not in loaded:
        loaded.clear()  # before the next is loaded, so that there is one in memory
        gc.collect()
        loaded[key] = load_model(files, repo_id)
    model, tokenizer = loaded[key]
    prompt = replace_surrogates(prompt)
    inputs = encode_prompt(model, tokenizer, prompt)
    if not inputs["input_ids"].numel():
        raise HubtweetsError(f"{repo_id}: its tokenizer knows no token of this prompt")
    set_seed(seed)
    for index in range(count):
        say(index, prompt)
        streamer = Streamer(tokenizer, partial(say, index))
        beams = model.generation_config.num_beams or 1  # they are known at the end only
        more = {
            "streamer": streamer if beams == 1 else None,
            "stopping_criteria": [TokenHook(check)],
        }
        sequences = model.generate(**inputs, num_return_sequences=1, **more)
        streamer.add(sequences[0, inputs["input_ids"].shape[1] :])


def load_model(files: Mapping[str, Path], repo_id: str) -> Loaded:
    """Load a repo's model from what is here and from nowhere else; raise HubtweetsError if that is no model for texts, or asks for too much."""
    model, tokenizer = load_files(files, repo_id)
    found = model.generation_config.to_dict()
    settings, room = (
        GenerationConfig(**{name: found[name] for name in SAFE_SETTINGS & found.keys()}),
        (get_context_length(model) or MAX_NEW_TOKENS * 2) // 2,
    )
    settings.max_new_tokens = min(
        settings.max_new_tokens or min(MAX_NEW_TOKENS, room), MAX_WIDGET_TOKENS
    )
    if (settings.num_beams or 1) > MAX_BEAMS:
        raise HubtweetsError(
            f"{repo_id}: its num_beams is {settings.num_beams}, and at most {MAX_BEAMS} are tried here"
        )
    model.generation_config = settings
    return model, tokenizer


class Streamer:
    """Says what `generate` adds to a prompt as soon as it is whole characters."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, say: Callable[[str], None]) -> None:
        self.tokenizer, self.say, self.said = tokenizer, say, ""
        self.tokens: torch.Tensor | None = None

    def put(self, tokens: torch.Tensor) -> None:
        if self.tokens is None:  # the prompt comes first
            self.tokens = tokens.new_empty(0)
            return
        self.tokens = torch.cat([self.tokens, tokens])
        self.add(self.tokens, whole=False)

    def end(self) -> None:
        """Leave what is not whole to who has all tokens."""

    def add(self, tokens: torch.Tensor, whole: bool = True) -> None:
        text = self.tokenizer.decode(tokens, skip_special_tokens=True)
        if len(text) > len(self.said) and (whole or not text.endswith("\ufffd")):
            self.say(text[len(self.said) :])
            self.said = text
