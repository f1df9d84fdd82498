"""Several processes train one model: real ones, started by `accelerate launch`."""

import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import environment, run, stop

ROOT = Path(__file__).parent.parent
# `--cpu` would start one process and say nothing
LAUNCH = [
    sys.executable,
    "-m",
    "accelerate.commands.accelerate_cli",
    "launch",
    "--multi_gpu",
    "--num_machines",
    "1",
    "--num_processes",
    "2",
]
LAUNCH += ["--main_process_port", "0", "--mixed_precision", "no", "--dynamo_backend", "no"]


def ranks(
    base: Path, folder: Path, number: int, per_device_train_batch_size: int, *more: str
) -> dict[str, Any]:
    shutil.copytree(base, folder / "base")
    command = [
        *(LAUNCH if number > 1 else [sys.executable]),
        "-m",
        "tests.ranks",
        str(folder),
        str(per_device_train_batch_size),
        *more,
    ]
    environ = environment(
        folder,
        ACCELERATE_USE_CPU="1",
        ACCELERATE_MIXED_PRECISION="no",
        OMP_NUM_THREADS="1",
        PYTHONPATH=str(ROOT),
    )
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    made = json.loads((folder / "losses.json").read_text())
    assert made["num_processes"] == number and len(made["losses"]) == 30
    return made


@pytest.mark.parametrize(("packed", "size"), [(True, 2), (False, 4)], ids=["packed", "padded"])
def test_two_processes_equal_one(base: Path, tmp_path: Path, packed: bool, size: int) -> None:
    """A step takes eight blocks at once, or four per process, either at once or as twice two."""
    more = [] if packed else ["padded"]
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = (
        ranks(base, tmp_path / "one", 1, 8, *more),
        ranks(base, tmp_path / "two", 2, size, *more),
    )
    assert one["packed"] is packed and one["losses"][0] - one["losses"][-1] > 0.1
    assert max(abs(a - b) for a, b in zip(one["losses"], two["losses"], strict=True)) < 1e-5
    for before, after in zip(one["scores"], two["scores"], strict=True):
        for a, b in zip(before, after, strict=True):
            assert (a["bytes"], a["tokens"]) == (b["bytes"], b["tokens"])
            assert a["bits_per_byte"] == pytest.approx(b["bits_per_byte"], abs=1e-5)


def test_train_starts_as_many_as_it_is_told(archive: Path, base: Path, tmp_path: Path) -> None:
    shutil.copy(archive, tmp_path)
    run(tmp_path, "curate", "lyons____").check_returncode()
    command = ["train", "lyons____", "--base", str(base), "--max-steps", "24"]
    stopped = stop(tmp_path, [*command, "--num-processes", "2"], 0.1, signal.SIGTERM)
    assert re.fullmatch(
        r"Stopped at step \d+ of 24, which is saved; type the command again to resume",
        stopped.stderr.splitlines()[-1],
    )
    done = run(tmp_path, *command, "--num-processes", "2", "--save-steps", "3")
    assert done.returncode == 0, done.stderr
    assert "train: resuming from the checkpoint at step" in done.stderr
    record = json.loads((tmp_path / "runs" / "lyons____" / "run.json").read_text())
    assert record["environment"]["num_processes"] == 2 and record["environment"]["steps"] == 24
    lines = done.stderr.splitlines()
    assert sum(line.startswith("train: step 24 of 24: loss ") for line in lines) == 1
    assert sum(line.startswith("evaluate: 86 held-out posts") for line in lines) == 1
    assert "train: nothing changed, skipped" in run(tmp_path, *command).stderr


def test_accelerate_launch_trains(published: Path, base: Path, tmp_path: Path) -> None:
    shutil.copytree(published / "runs", tmp_path / "runs")
    environ = environment(tmp_path, ACCELERATE_USE_CPU="1", OMP_NUM_THREADS="1")
    command = [
        *LAUNCH,
        "-m",
        "hubtweets",
        "train",
        "lyons____",
        "--base",
        str(base),
        "--max-steps",
        "4",
        "--report-to",
        "none",
    ]
    done = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "runs" / "lyons____" / "run.json").read_text())
    assert (
        record["environment"]["num_processes"] == 2
        and record["environment"]["mixed_precision"] == "no"
    )
    assert record["stages"].keys() == {"curate", "train", "evaluate"}
    assert not (tmp_path / "runs" / "lyons____" / "checkpoints").exists()
    refused = run(tmp_path, "card", "lyons____", WORLD_SIZE="2")
    assert refused.returncode == 1
    assert (
        refused.stderr == "Error: only train runs in several processes; "
        "type: hubtweets publish lyons____ --num-processes N\n"
    )
