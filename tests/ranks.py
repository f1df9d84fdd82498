"""What each process of a launched training runs in the tests.

    accelerate launch ... -m tests.ranks FOLDER MICRO_BATCH_SIZE [padded]

A process takes a model, documents and a config, and gives its losses and its scores. FOLDER holds
base/; the main process writes losses.json there.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM, OPTConfig, OPTForCausalLM

from hubtweets.config import TrainingConfig
from hubtweets.evaluation.bits_per_byte import evaluate
from hubtweets.models.tokenizer import load_tokenizer
from hubtweets.record.run_folder import get_rank
from hubtweets.training import trainer

CONFIG = TrainingConfig(
    num_train_epochs=9,
    max_steps=30,
    learning_rate=1e-3,
    batch_size=8,
    block_size=16,
    logging_steps=1,
    eval_steps=10,
    early_stopping_patience=9,
    save_seconds=1e9,
)
DOCUMENTS = [
    np.array([0, *((start + step) % 250 + 1 for step in range(start % 13)), 0])
    for start in range(0, 900, 7)
]
TEXTS = [["my dream", "the radio in the shed " * 30, "é"], ["another voice"] * 13]


def main(folder: Path, per_device_train_batch_size: int, padded: bool) -> None:
    """Train, and write what came out."""
    if padded:
        torch.manual_seed(0)
        sizes = {
            "hidden_size": 32,
            "word_embed_proj_dim": 32,
            "ffn_dim": 64,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
        }
        model = OPTForCausalLM(OPTConfig(vocab_size=300, **sizes))
    else:
        model = AutoModelForCausalLM.from_pretrained(folder / "base", dtype=torch.float32)
    tokenizer = load_tokenizer(str(folder / "base"))
    scores = []

    def held_out(model: torch.nn.Module, accelerator: trainer.Accelerator) -> float:
        total, authors = evaluate(model, tokenizer, TEXTS, accelerator)
        scores.append([asdict(score) for score in (total, *authors)])
        return total.bits_per_byte

    config = TrainingConfig(
        **{**asdict(CONFIG), "per_device_train_batch_size": per_device_train_batch_size}
    )
    result = trainer.train(model, [DOCUMENTS], config, folder / "checkpoints", held_out, quiet=True)
    if get_rank() == 0:
        losses = [point.loss for point in result.state.history]
        made = {
            "losses": losses,
            "scores": scores,
            "num_processes": result.num_processes,
            "packed": result.packed,
        }
        (folder / "losses.json").write_text(json.dumps(made))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] == ["padded"])
