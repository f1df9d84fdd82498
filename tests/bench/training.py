"""What training costs: speed against the peers, memory, and the seconds around it."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import HUBTWEETS, environment, run

Figures = dict[str, float]
ROUNDS = 3


def speed(folder: Path) -> Figures:
    """Measure tokens per second, ours and the peers' in turn.

    The models are one of GPT-2's shape (124 M, random weights) and the embedded base. `of fp32
    product` is 6 x parameters x tokens/s against the FLOP/s of a 1024 x 768 by 768 x 3072 product
    in fp32, measured in every round.
    """
    import torch

    from hubtweets.models import base
    from hubtweets.models.loading import load_base
    from hubtweets.posts.example import sentences
    from tests.bench import peers

    _, tokenizer = load_base(*base.resolve_base("tiny"))
    generator = sentences.Random(0)
    texts = [sentences.make_sentence(generator) for _ in range(4_000)]
    figures: Figures = {}
    for name, make, steps in (
        ("124M", peers.gpt2_124m, 2),
        ("tiny", lambda: load_base(*base.resolve_base("tiny"))[0], 40),
    ):
        found: dict[str, list[float]] = {}
        for turn in range(ROUNDS + 1):
            figure = contend(make, tokenizer, texts, folder, steps if turn else 1)
            figure["fp32 product"] = peers.matmul_flops(1024, 768, 3072, torch.float32)
            for contender, value in figure.items():
                found[contender] = [*found.get(contender, []), value][
                    -ROUNDS:
                ]  # the first is to warm up
        medians = {contender: statistics.median(values) for contender, values in found.items()}
        product = medians.pop("fp32 product")
        figures |= {
            f"{name}, {contender}, tokens/s": tokens for contender, tokens in medians.items()
        }
        figures[f"{name}, fp32 product, GFLOP/s"] = product / 1e9
        figures[f"{name}, ours / padded"] = medians["ours"] / medians["padded"]
        for contender in ("ours", "ours, fp32"):
            figures[f"{name}, {contender} / original"] = medians[contender] / medians["original"]
            figures[f"{name}, {contender}, of fp32 product"] = (
                6 * make().num_parameters() * medians[contender] / product
            )
    return figures


def contend(
    make: Callable[[], Any], tokenizer: Any, texts: list[str], folder: Path, steps: int
) -> Figures:
    """Return the tokens per second of each contender on a fresh model, one after the other."""
    from hubtweets.models.hardware import choose_precision
    from tests.bench import peers

    trained = {
        "original": peers.original(make(), tokenizer, texts, max_steps=steps),
        "padded": peers.padded(make(), tokenizer, texts, choose_precision(), max_steps=4 * steps),
        "padded, fp32": peers.padded(make(), tokenizer, texts, "no", max_steps=4 * steps),
    }
    return {
        "ours": ours(make(), tokenizer, texts, folder, steps, choose_precision()),
        "ours, fp32": ours(make(), tokenizer, texts, folder, steps, "no"),
    } | {name: one.tokens / one.seconds for name, one in trained.items()}


def ours(
    model: Any, tokenizer: Any, texts: list[str], folder: Path, steps: int, precision: str
) -> float:
    """Return the tokens per second of our trainer in a precision."""
    from accelerate.state import AcceleratorState

    from hubtweets.config import TrainingConfig
    from hubtweets.models.tokenizer import encode_texts
    from hubtweets.training.trainer import train

    AcceleratorState._reset_state(reset_partial_state=True)
    os.environ["ACCELERATE_MIXED_PRECISION"] = precision
    try:
        config = TrainingConfig(num_train_epochs=100, max_steps=steps, save_seconds=1e9)
        result = train(
            model, [encode_texts(texts, tokenizer)], config, folder / "checkpoints", quiet=True
        )
    finally:
        del os.environ["ACCELERATE_MIXED_PRECISION"]
        shutil.rmtree(folder / "checkpoints")
        AcceleratorState._reset_state(reset_partial_state=True)
    return result.state.tokens / result.state.seconds


MEMORY = """
import json, resource, sys
from pathlib import Path
import torch
from transformers import GPT2Config, GPT2LMHeadModel
from hubtweets.models import hardware
from hubtweets.posts.example import sentences
from hubtweets.models.base import resolve_base
from hubtweets.models.tokenizer import encode_texts, load_tokenizer
from hubtweets.config import TrainingConfig
from hubtweets.training.trainer import train
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
generator = sentences.Random(0)
documents = encode_texts(
    [sentences.make_sentence(generator) for _ in range(2_000)],
    load_tokenizer(resolve_base("tiny")[1]),
)
before = peak()
model = GPT2LMHeadModel(GPT2Config())
micro = hardware.estimate_micro_batch_tokens(model, 128, torch.device("cpu"))
config = TrainingConfig(num_train_epochs=100, max_steps=4, save_seconds=1e9)
train(model, [documents], config, Path(sys.argv[1]), quiet=True)
print(json.dumps([before, model.num_parameters(), micro, model.config.vocab_size, peak()]))
"""


def memory(folder: Path) -> Figures:
    """Measure the most memory (GiB, resident) of training at GPT-2's shape.

    The training is a process of its own, and its memory is compared with that of the parts that it
    cannot do without.
    """
    figures: Figures = {}
    for name, precision in (("", None), (", fp32", "no")):
        told = {"ACCELERATE_MIXED_PRECISION": precision} if precision else {}
        command = [sys.executable, "-c", MEMORY, str(folder / f"memory{name}")]
        done = subprocess.run(
            command, env=environment(folder, **told), capture_output=True, text=True, check=True
        )
        imports, parameters, micro, vocabulary, peak = json.loads(done.stdout)
        parts = {
            "weights": 4 * parameters,
            "gradients": 4 * parameters,
            "AdamW": 8 * parameters,
            "logits of a micro-batch": 4 * micro * vocabulary,
        }
        figures |= {f"124M, {part}, GiB": size / 2**30 for part, size in parts.items()}
        figures[f"124M{name}, Python and its libraries, GiB"] = imports / 2**30
        figures[f"124M{name}, peak of all, GiB"] = peak / 2**30
        figures[f"124M{name}, peak of all / parts"] = peak / sum(parts.values())
        figures[f"124M{name}, peak of training / parts"] = (peak - imports) / sum(parts.values())
    return figures


def start(folder: Path) -> Figures:
    """Measure the seconds of `train` up to its first step, and of each stage of `publish`.

    Both use the embedded base and the example.
    """
    room = folder / "start"
    room.mkdir()
    run(room, "example", "lyons____.zip").check_returncode()
    run(room, "curate", "lyons____").check_returncode()
    imports = "import torch, accelerate, transformers.pipelines, hubtweets.training.trainer"
    firsts, loads = [], []
    for seed in range(ROUNDS):
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", imports], env=environment(room), check=True, capture_output=True
        )
        loads.append(time.perf_counter() - began)
        stamps = stamped(
            room, "train", "lyons____", "--base", "tiny", "--max-steps", "1", "--seed", str(seed)
        )
        firsts.append(next(seconds for seconds, line in stamps if line.startswith("step 1 of 1")))
    figures = {
        "train, to the first step": statistics.median(firsts),
        "of it imports": statistics.median(loads),
    }
    shutil.rmtree(room / "runs")
    stamps = stamped(room, "publish", "lyons____", "--base", "tiny", "--hub", "local")
    steps = json.loads((room / "runs" / "lyons____" / "run.json").read_text())["environment"][
        "seconds"
    ]
    stages = ["curate", "train", "evaluate", "sample", "card", "push"]
    begins = [
        next(seconds for seconds, line in stamps if line.startswith(f"{stage}:"))
        for stage in stages
    ]
    ends = [*begins[1:], stamps[-1][0]]
    figures["publish"] = stamps[-1][0]
    figures["publish, training steps"] = steps
    figures["publish, all but the steps"] = stamps[-1][0] - steps
    figures["publish, before curate speaks"] = begins[0]
    for stage, begin, end in zip(stages, begins, ends, strict=True):
        figures[f"publish, {stage}"] = end - begin - (steps if stage == "train" else 0)
    return figures


def stamped(folder: Path, *arguments: str) -> list[tuple[float, str]]:
    """Run a command and return the lines it said, each with the seconds since its start.

    The last one is its end.
    """
    began, lines = time.perf_counter(), []
    with subprocess.Popen(
        [HUBTWEETS, *arguments],
        cwd=folder,
        env=environment(folder),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as process:
        assert process.stderr
        for line in process.stderr:
            lines.append((time.perf_counter() - began, line.decode()))
    assert process.returncode == 0, lines
    return [*lines, (time.perf_counter() - began, "")]
