"""Measure what is learnt, and in what time, against the original's recipe.

`make bench PARTS=quality` takes an hour or two. Data and base are equal: the embedded base and the
example's posts, and with `CORPUS=posts.jsonl` those of that JSON Lines file too. Each figure is the
mean over three seeds, and the spread is the largest less the smallest. Seconds are those of the
training, ours with its evaluations.
"""

import os
import shutil
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hubtweets.models.hardware import choose_precision
from tests.conftest import run

SEEDS = (0, 1, 2)
RATES = (2.5e-4, 5e-4, 1e-3, 2e-3, 4e-3)  # for the choice of the default
Outcome = tuple[float, float]  # bits per byte, seconds
Texts = tuple[
    Sequence[Sequence[str]], Sequence[Sequence[str]]
]  # by author: to train on, and held out


def measure(folder: Path) -> dict[str, float]:
    """Compare our training with the peers', then our learning rates with each other.

    The peers are the original's recipe, the same at our learning rate, and padding.
    """
    figures: dict[str, float] = {}

    def note(name: str, outcomes: Sequence[Outcome]) -> None:
        bits, seconds = zip(*outcomes, strict=True)
        found = {
            "bits per byte": statistics.mean(bits),
            "spread": max(bits) - min(bits),
            "seconds": statistics.mean(seconds),
        }
        for what, figure in found.items():
            figures[f"{name}, {what}"] = figure
            print(f"{name}, {what}: {figure:.3f}", flush=True)

    for name, posts in {"example": None, "corpus": os.environ.get("CORPUS")}.items():
        if name == "corpus" and not posts:
            continue
        texts = curated(folder, name, posts)
        curves: list[list[tuple[float, float]]] = [[] for _ in SEEDS]
        note(
            f"{name}, ours",
            [
                ours(texts, folder, curve, seed=seed)
                for seed, curve in zip(SEEDS, curves, strict=True)
            ],
        )
        originals = [peer("original", texts, seed=seed) for seed in SEEDS]
        note(f"{name}, original", originals)
        beaten = [
            next(seconds for seconds, bits in curve if bits < min(bits for bits, _ in originals))
            for curve in curves
        ]
        figures[f"{name}, ours, seconds until it is better than the original ends"] = (
            statistics.mean(beaten)
        )
        note(
            f"{name}, original at our rate",
            [peer("original", texts, seed=seed, learning_rate=1e-3) for seed in SEEDS],
        )
        note(
            f"{name}, padded",
            [
                peer("padded", texts, seed=seed, mixed_precision=choose_precision())
                for seed in SEEDS
            ],
        )
        for rate in RATES:
            note(f"{name}, ours at {rate:g}", [ours(texts, folder, learning_rate=rate)])
    return figures


def curated(folder: Path, name: str, posts: str | None) -> Texts:
    """Return the training posts and the held-out ones, as `hubtweets curate` leaves them."""
    from hubtweets.curation.dataset import read_texts

    room = folder / name
    room.mkdir()
    if posts:
        shutil.copy(posts, room / "lyons____.jsonl")
    else:
        run(room, "example", "lyons____.zip").check_returncode()
    run(room, "curate", "lyons____").check_returncode()
    train, held_out = (
        list(read_texts(room / "runs" / "lyons____" / "dataset" / f"{side}.parquet").values())
        for side in ("train", "validation")
    )
    return train, held_out


def ours(
    texts: Texts, folder: Path, curve: list[tuple[float, float]] | None = None, **settings: object
) -> Outcome:
    """Train ours, and note in `curve` the seconds and the bits per byte of each evaluation."""
    from hubtweets.config import TrainingConfig
    from hubtweets.evaluation.bits_per_byte import evaluate
    from hubtweets.models import base
    from hubtweets.models.loading import load_base, load_model
    from hubtweets.models.tokenizer import encode_texts
    from hubtweets.training import trainer

    model, tokenizer = load_base(*base.resolve_base("tiny"))
    config = TrainingConfig(save_seconds=1e9, **settings)  # type: ignore[arg-type]
    began = time.perf_counter()

    def held_out(model: Any, accelerator: Any) -> float:
        bits = evaluate(model, tokenizer, texts[1], accelerator)[0].bits_per_byte
        if curve is not None:
            curve.append((time.perf_counter() - began, bits))
        return bits

    documents = [encode_texts(author, tokenizer) for author in texts[0]]
    result = trainer.train(model, documents, config, folder / "checkpoints", held_out, quiet=True)
    score, _ = evaluate(load_model(str(result.weights)).eval(), tokenizer, texts[1])
    shutil.rmtree(folder / "checkpoints")
    return score.bits_per_byte, result.state.seconds


def peer(name: str, texts: Texts, **settings: object) -> Outcome:
    from hubtweets.evaluation.bits_per_byte import evaluate
    from hubtweets.models import base
    from hubtweets.models.loading import load_base
    from tests.bench import peers

    model, tokenizer = load_base(*base.resolve_base("tiny"))
    trained = getattr(peers, name)(
        model, tokenizer, [text for author in texts[0] for text in author], **settings
    )
    return evaluate(model, tokenizer, texts[1])[0].bits_per_byte, trained.seconds
