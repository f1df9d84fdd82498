"""The embedded base: what is shipped, and what builds it."""

import subprocess
import sys
from pathlib import Path
from random import Random

import yaml

from hubtweets import base, grammar, models
from hubtweets.base import build
from tests.conftest import environment


def test_what_is_shipped() -> None:
    resolved, location = base.resolve("tiny")
    model, tokenizer = models.load(resolved, location)
    assert (resolved.id, resolved.license, resolved.on_hub) == ("tiny", "apache-2.0", False)
    assert 5.5e6 < model.num_parameters() < 6.5e6 and len(tokenizer) == 4096
    assert (base.TINY / "model.safetensors").stat().st_size < 2.1 * model.num_parameters()  # half precision
    card = (base.TINY / "README.md").read_text()
    assert yaml.safe_load(card.split("---\n")[1])["license"] == "apache-2.0"
    assert "bits per byte" in card and "public domain" in card


def test_it_writes_texts_that_end() -> None:
    from hubtweets.sampling import generate

    resolved, location = base.resolve("tiny")
    model, tokenizer = models.load(resolved, location)
    texts = generate(model, tokenizer, "I", 20, seed=0)
    ended = [text for text in texts if len(tokenizer(text)["input_ids"]) < models.MAX_NEW_TOKENS]
    assert len(set(texts)) == 20 and len(ended) >= 18


def test_paragraphs(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.txt"
    kept = "A paragraph that is\nlong enough to be kept."
    corpus.write_text(f"short\n\n{kept}\n\n{'x' * 401}<|endoftext|>{kept}\n\n{'y' * 400}\n\n{'z' * 30}")
    assert build.read_paragraphs(corpus) == [kept.replace("\n", " "), "y" * 400, "z" * 30]


def test_make_base_builds_a_base(tmp_path: Path) -> None:
    """The very builder, on a corpus that is over in seconds."""
    paragraphs = [grammar.sentence(Random(n)) for n in range(150)]
    (tmp_path / "corpus.txt").write_text("\n\n".join(paragraphs))
    command = [sys.executable, "-m", "hubtweets.base.build", "corpus.txt", "tiny"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(" held-out paragraphs\n")
    model, _ = models.load(*base.resolve(str(tmp_path / "tiny")))
    assert model.config.n_layer == 6 and not (tmp_path / "tiny.checkpoints").exists()
    assert "held-out paragraphs of" in (tmp_path / "tiny" / "README.md").read_text()
