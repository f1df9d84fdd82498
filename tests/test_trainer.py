from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from transformers import AutoModelForCausalLM, OPTConfig, OPTForCausalLM, PreTrainedModel

from hubtweets.config import TrainingConfig
from hubtweets.errors import HubtweetsError
from hubtweets.training import loop, trainer
from hubtweets.training.checkpoints import TrainingState
from hubtweets.training.packing import iterate_batches
from hubtweets.training.schedule import scale_learning_rate

CONFIG = TrainingConfig(
    num_train_epochs=6,
    learning_rate=1e-2,
    batch_size=4,
    block_size=16,
    logging_steps=2,
    save_seconds=1e9,
)
DOCUMENTS = [
    np.array([0, *((start + step) % 250 + 1 for step in range(12)), 0])
    for start in range(0, 240, 6)
]


def train(
    base: Path,
    checkpoints: Path,
    config: TrainingConfig = CONFIG,
    documents: Sequence[np.ndarray] = DOCUMENTS,
) -> tuple[PreTrainedModel, trainer.TrainingResult]:
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    return model, trainer.train(model, [documents], config, checkpoints, quiet=True)


def weights(model: PreTrainedModel) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_it_learns(base: Path, tmp_path: Path) -> None:
    _, result = train(base, tmp_path)
    steps = 6 * 40 * 14 // 64
    assert [point.step for point in result.state.history] == [*range(2, steps, 2), steps]
    assert result.state.history[0].loss > 5 > 4 > result.state.history[-1].loss
    assert result.state.step == steps and result.num_processes == 1


@pytest.fixture
def fp32(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Train in fp32, whatever the machine does best.

    Accelerate keeps its first choice unless it is told to forget it.
    """
    monkeypatch.setattr(trainer, "choose_precision", lambda: "no")
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.mark.usefixtures("fp32")
def test_the_loss_is_that_of_each_document_alone(base: Path, tmp_path: Path) -> None:
    config = replace(
        CONFIG, batch_size=1, block_size=4 * 14, num_train_epochs=4 / 40, logging_steps=1
    )
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    shuffled = next(iterate_batches([DOCUMENTS], 1, 56, config.seed)).input_ids.view(4, 14)
    with torch.no_grad():
        alone = [model(document[None], labels=document[None]).loss.item() for document in shuffled]
    result = trainer.train(model, [DOCUMENTS], config, tmp_path, quiet=True)
    assert result.state.history[0].loss == pytest.approx(sum(alone) / 4, abs=1e-5)


def test_gradients_are_clipped_and_only_matrices_decay(base: Path, tmp_path: Path) -> None:
    before, _ = train(base, tmp_path, replace(CONFIG, learning_rate=1e-30))
    clipped, _ = train(base, tmp_path, replace(CONFIG, max_grad_norm=1e-30, weight_decay=0.0))
    assert (weights(clipped) - weights(before)).abs().max() < 1e-5
    decayed, _ = train(base, tmp_path, replace(CONFIG, max_grad_norm=1e-30, weight_decay=10.0))
    for (name, old), (_, new) in zip(
        before.named_parameters(), decayed.named_parameters(), strict=True
    ):
        assert (old.ndim < 2) is torch.allclose(old, new, atol=1e-5), name


def test_the_learning_rate_rises_and_falls_on_a_cosine(base: Path, tmp_path: Path) -> None:
    _, result = train(base, tmp_path, replace(CONFIG, warmup_ratio=0.2, logging_steps=1))
    rates = [point.learning_rate for point in result.state.history]
    warmup, steps = round(0.2 * len(rates)), len(rates)
    expected = [1e-2 * (n + 1) / warmup for n in range(warmup)]
    expected += [
        1e-2 * 0.5 * (1 + np.cos(np.pi * n / (steps - warmup))) for n in range(steps - warmup)
    ]
    assert rates == pytest.approx(expected)


def test_same_seed_same_weights(base: Path, tmp_path: Path) -> None:
    first, second, other = (
        weights(train(base, tmp_path, replace(CONFIG, num_train_epochs=1, seed=seed))[0])
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_cut_anywhere_it_ends_with_the_same_weights(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, uncut = train(base, tmp_path / "whole")
    real = loop.save_checkpoint

    def save_and_die(accelerator: Accelerator, checkpoints: Path, state: TrainingState) -> None:
        real(accelerator, checkpoints, state)
        if state.step == 17:
            raise KeyboardInterrupt

    (tmp_path / "cut").mkdir()
    monkeypatch.setattr(loop, "save_checkpoint", save_and_die)
    with pytest.raises(KeyboardInterrupt):
        train(base, tmp_path / "cut", replace(CONFIG, save_seconds=0))
    assert [path.name for path in (tmp_path / "cut").iterdir()] == ["step-17"]
    (tmp_path / "cut" / "writing").mkdir()  # as a kill in the middle of a write leaves it
    resumed, result = train(base, tmp_path / "cut", replace(CONFIG, save_seconds=0))
    assert result.state.history == uncut.state.history
    assert torch.equal(weights(resumed), weights(whole))


def test_a_checkpoint_that_cannot_be_written_gets_one_line(base: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(
        HubtweetsError,
        match=r"file: the checkpoint can't be written \(.*\); "
        r"free some disk space and type the command again",
    ):
        train(base, tmp_path / "file", replace(CONFIG, save_seconds=0))


def test_the_best_state_is_the_result_and_training_stops_when_none_is_better(
    base: Path, tmp_path: Path
) -> None:
    asked: list[torch.Tensor] = []
    scores = iter([3.0, 2.0, 2.5, 2.0, 2.1, 1.0])

    def evaluate(model: PreTrainedModel, _: object) -> float:
        assert not model.training
        asked.append(weights(model))
        return next(scores)

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    logged: list[tuple[int, str]] = []
    config = replace(CONFIG, eval_steps=5, logging_steps=5)
    result = trainer.train(
        model,
        [DOCUMENTS],
        config,
        tmp_path,
        evaluate,
        lambda values, step: logged.extend((step, name) for name in values),
        True,
    )
    assert [(point.step, point.bits_per_byte) for point in result.state.evaluations] == [
        (5, 3.0),
        (10, 2.0),
        (15, 2.5),
        (20, 2.0),
        (25, 2.1),
    ]
    assert result.state.step == 25 and result.weights == tmp_path / "best-10"
    assert torch.equal(weights(AutoModelForCausalLM.from_pretrained(result.weights)), asked[1])
    assert logged == [
        (step, name)
        for step in (5, 10, 15, 20, 25)
        for name in ("train/loss", "train/learning_rate", "eval/bits_per_byte")
    ]


def test_it_is_scored_every_half_epoch_and_in_the_end(base: Path, tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    scores = iter(range(100, 0, -1))
    result = trainer.train(
        model,
        [DOCUMENTS],
        replace(CONFIG, num_train_epochs=2.2),
        tmp_path,
        lambda model, _: float(next(scores)),
        quiet=True,
    )
    epoch = 40 * 14 // 64
    assert [point.step for point in result.state.evaluations] == [
        *range(epoch // 2, int(2.2 * 560) // 64, epoch // 2),
        int(2.2 * 560) // 64,
    ]


def test_it_ends_after_so_many_steps_or_minutes(base: Path, tmp_path: Path) -> None:
    _, result = train(base, tmp_path / "steps", replace(CONFIG, max_steps=7))
    assert result.state.step == 7 and result.state.tokens == 7 * 64
    assert result.state.history[-1].learning_rate < 0.1 * 1e-2  # the schedule knows of the end
    _, result = train(base, tmp_path / "minutes", replace(CONFIG, max_minutes=1e-9))
    assert result.state.step == 1
    assert (tmp_path / "minutes" / "best-1" / "model.safetensors").exists()


def test_the_schedule_reaches_zero_by_steps_or_by_time() -> None:
    config = replace(CONFIG, warmup_ratio=0.1)
    assert [
        round(scale_learning_rate(step, 100, 1e9, config), 3) for step in (1, 10, 11, 56, 100)
    ] == [0.1, 1.0, 1.0, 0.5, 0.0]
    timed = replace(config, max_minutes=10.0)
    assert [
        round(scale_learning_rate(step, 100, seconds, timed), 3)
        for step, seconds in ((1, 0), (2, 30), (2, 330), (2, 600), (2, 700), (100, 0))
    ] == [
        0.1,
        0.6,
        0.5,
        0.0,
        0.0,
        0.0,
    ]


@pytest.mark.usefixtures("fp32")
def test_micro_batches_change_nothing(base: Path, tmp_path: Path) -> None:
    config = replace(CONFIG, logging_steps=1, max_steps=30)
    losses = []
    for size in (1, 2, 3, 4):
        AcceleratorState._reset_state(reset_partial_state=True)
        _, result = train(
            base, tmp_path / str(size), replace(config, per_device_train_batch_size=size)
        )
        losses.append([point.loss for point in result.state.history])
    assert len(losses[0]) == 30
    for others in losses[1:]:
        assert max(abs(a - b) for a, b in zip(losses[0], others, strict=True)) < 1e-5


def test_a_model_that_cannot_be_packed_is_trained_on_padded_documents(
    base: Path, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    model = OPTForCausalLM(
        OPTConfig(
            vocab_size=300,
            hidden_size=32,
            word_embed_proj_dim=32,
            ffn_dim=64,
            num_hidden_layers=1,
            num_attention_heads=2,
        )
    )
    result = trainer.train(model, [DOCUMENTS], CONFIG, tmp_path, quiet=True)
    assert not result.packed
    assert result.state.history[0].loss > 5 > 4 > result.state.history[-1].loss
    assert abs(result.state.tokens - result.state.step * 64) < 14
    _, result = train(base, tmp_path / "packed")
    assert result.packed
