"""Builds the embedded base: `make base CORPUS=corpus.txt` (about an hour on two cores).

In: a text file, documents between `<|endoftext|>` lines, a blank line between paragraphs. Out:
`tiny/`, a GPT-2-architecture model of 6 M parameters in half precision with its own byte-level BPE
tokenizer and its measured card. Paragraphs of 30 to 400 characters are its documents, so that it
writes short texts that end; one in twenty, chosen by its hash, is held out. If it is killed, it
resumes when it is started again.
"""

import hashlib
import shutil
from pathlib import Path

import click
import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from hubtweets.card.templating import create_environment
from hubtweets.config import TrainingConfig
from hubtweets.evaluation.bits_per_byte import evaluate
from hubtweets.files import hash_files
from hubtweets.models.loading import load_model, load_repo
from hubtweets.models.tokenizer import encode_texts
from hubtweets.training.trainer import train

END = "<|endoftext|>"
# of the corpus whose origin and rights the card names
CORPUS_SHA256 = "f127cf3e3474996614da633b9c321330b9af87ee0d5e68fdb686de2e523be514"
CONFIG = TrainingConfig(
    num_train_epochs=5.5,
    learning_rate=2e-3,
    warmup_ratio=0.02,
    batch_size=8,
    block_size=128,
    logging_steps=100,
)


def read_paragraphs(corpus: Path) -> list[str]:
    """Return the distinct paragraphs of 30 to 400 characters in order, white space folded."""
    texts = corpus.read_text(encoding="utf-8").replace(END, "\n\n").split("\n\n")
    folded = (" ".join(text.split()) for text in texts)
    return list(dict.fromkeys(text for text in folded if 30 <= len(text) <= 400))


def is_held_out(text: str) -> bool:
    return hashlib.sha256(text.encode()).digest()[0] % 20 == 0


def train_tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    """Train byte-level BPE with 4,096 tokens, `<|endoftext|>` the first of them."""
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(
        texts, vocab_size=4096, min_frequency=2, special_tokens=[END], show_progress=False
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe._tokenizer,
        bos_token=END,
        eos_token=END,
        pad_token=END,
        model_max_length=512,
    )


@click.command()
@click.argument("corpus", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("output", type=click.Path(path_type=Path))
def main(corpus: Path, output: Path) -> None:
    """Pre-train the embedded base on CORPUS and write it to OUTPUT."""
    paragraphs = read_paragraphs(corpus)
    held_out = [text for text in paragraphs if is_held_out(text)]
    texts = [text for text in paragraphs if not is_held_out(text)]
    tokenizer = train_tokenizer(texts)
    torch.manual_seed(CONFIG.seed)
    model = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=len(tokenizer),
            n_positions=512,
            n_embd=256,
            n_layer=6,
            n_head=4,
            activation_function="gelu_pytorch_tanh",
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            attn_implementation="eager",  # a tenth faster than sdpa on blocks of 128
        )
    )
    documents = encode_texts(texts, tokenizer)
    click.echo(
        f"{len(texts):,} paragraphs, {sum(map(len, documents)):,} tokens, "
        f"{model.num_parameters():,} parameters",
        err=True,
    )
    sha256 = hash_files([corpus])
    checkpoints = output.with_suffix(".checkpoints") / sha256[:16]
    result = train(model, [documents], CONFIG, checkpoints)
    model = load_model(str(result.weights))
    model.half().save_pretrained(output)
    tokenizer.save_pretrained(output)
    score, _ = evaluate(
        *load_repo(output), [held_out]
    )  # as it is shipped: rounded to half precision
    card = create_environment().get_template("base_card.md.j2")
    facts: dict = {
        "parameters": model.num_parameters(),
        "texts": len(texts),
        "held_out": len(held_out),
        "corpus_sha256": sha256,
    }
    facts |= {"ours": sha256 == CORPUS_SHA256, "config": CONFIG, "result": result, "score": score}
    (output / "README.md").write_text(card.render(**facts), encoding="utf-8")
    shutil.rmtree(checkpoints.parent, ignore_errors=True)  # a short run makes none
    click.echo(f"{score.bits_per_byte:.3f} bits per byte on {len(held_out):,} held-out paragraphs")


if __name__ == "__main__":
    main()
