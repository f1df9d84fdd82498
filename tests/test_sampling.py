from pathlib import Path

import pytest
import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from hubtweets.base import resolve
from hubtweets.models import install, load, load_repo, load_tokenizer
from hubtweets.packing import encode
from hubtweets.record import TrainingConfig
from hubtweets.sampling import generate
from hubtweets.trainer import train

TEXTS = ["my dream is to repair the radio", "my dream is a bigger shed", "my dream is the radio in the shed", "my shed is my dream"]


@pytest.mark.parametrize(
    "special",
    [
        {"eos_token": "<end>"},
        {"eos_token": "<end>", "pad_token": "<end>"},
        {"bos_token": "<end>", "eos_token": "<end>", "pad_token": "<end>"},
        {"bos_token": "<start>", "eos_token": "<end>", "pad_token": "<pad>"},
    ],
    ids=["neither BOS nor pad", "no BOS, pad is EOS", "all one", "all there"],
)
def test_the_model_learns_to_stop(tmp_path: Path, special: dict[str, str]) -> None:
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(TEXTS, vocab_size=300, special_tokens=["<start>", "<end>", "<pad>"], show_progress=False)
    PreTrainedTokenizerFast(tokenizer_object=bpe._tokenizer, **special).save_pretrained(tmp_path / "base")
    tokenizer = load_tokenizer(str(tmp_path / "base"))
    torch.manual_seed(0)
    sizes = {"n_positions": 256, "n_embd": 32, "n_layer": 1, "n_head": 2, "bos_token_id": 1, "eos_token_id": 1}
    GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), **sizes)).save_pretrained(tmp_path / "base")
    model, tokenizer = load(*resolve(str(tmp_path / "base")))
    config = TrainingConfig(epochs=100, learning_rate=1e-2, batch_size=4, block_size=32)
    result = train(model, [encode(TEXTS, tokenizer)], config, tmp_path / "checkpoints", quiet=True)
    (tmp_path / "repo").mkdir()
    install(result.weights, tokenizer, tmp_path / "repo", [])
    model, tokenizer = load_repo(tmp_path / "repo")
    prompt = tokenizer("my dream", return_tensors="pt", return_token_type_ids=False)
    posts = model.generate(**prompt, num_return_sequences=50)
    assert (posts[:, prompt["input_ids"].shape[1] :] == tokenizer.eos_token_id).any(1).sum() >= 45
    assert len(generate(model, tokenizer, "my dream", 3, 0)) == 3
