"""Tokenizers made ready for texts that begin and end."""

from collections.abc import Sequence

import numpy as np
from tokenizers.processors import TemplateProcessing
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast


def load_tokenizer(location: str, revision: str | None = None) -> PreTrainedTokenizerFast:
    """Load a tokenizer that has a pad token and puts BOS before a prompt.

    If it has no BOS, it puts EOS there. It is wrapped in the plain fast class, because classes such
    as GPT2Tokenizer build their own post-processor when they are loaded and drop this one.
    """
    loaded = AutoTokenizer.from_pretrained(location, revision=revision, trust_remote_code=False)
    eos = loaded.eos_token
    if eos is None:
        raise ValueError("its tokenizer has no EOS")
    bos = loaded.bos_token or eos
    backend = loaded.backend_tokenizer
    backend.post_processor = TemplateProcessing(
        single=f"{bos} $A", special_tokens=[(bos, loaded.convert_tokens_to_ids(bos))]
    )
    limit = loaded.model_max_length
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=bos,
        eos_token=eos,
        pad_token=loaded.pad_token or eos,
        model_max_length=limit,
    )


IGNORE_INDEX = -100  # the label that torch's cross entropy skips


def encode_texts(texts: Sequence[str], tokenizer: PreTrainedTokenizerBase) -> list[np.ndarray]:
    """Turn each text into token ids with BOS before it and EOS after it.

    If the tokenizer has no BOS, EOS is before it, too. A special token that is written in a text is
    text.
    """
    eos = tokenizer.eos_token_id
    bos = eos if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    if not texts:
        return []
    encoded = tokenizer(
        list(texts), add_special_tokens=False, split_special_tokens=True, verbose=False
    )["input_ids"]
    return [np.array([bos, *ids, eos], dtype=np.int64) for ids in encoded]
