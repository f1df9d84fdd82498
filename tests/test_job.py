"""A training as files in a folder, which any engine can do on any machine."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hubtweets.config import TrainingConfig
from hubtweets.errors import HubtweetsError
from hubtweets.models.base import resolve_base
from hubtweets.record.run_folder import list_training_inputs
from hubtweets.record.serialization import read_record
from hubtweets.training.job import (
    TrainingJob,
    TrainingReport,
    find_report,
    read_job,
    read_report,
    write_job,
    write_report,
)
from tests.conftest import environment, run

CONFIG = TrainingConfig(max_steps=3)


@pytest.fixture(scope="module")
def job(published: Path, base: Path) -> TrainingJob:
    record = read_record(published / "runs" / "lyons____" / "run.json")
    assert record.dataset
    found, location = resolve_base(str(base))
    inputs = list_training_inputs(found, CONFIG, record.dataset)
    return TrainingJob("lyons____", found, location, CONFIG, (), inputs, 20)


def work(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "hubtweets.stages.worker", str(folder)]
    environ = environment(folder)
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def elsewhere(published: Path, job: TrainingJob, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a dataset and a job, which a worker did."""
    folder = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(published / "runs" / "lyons____" / "dataset", folder / "dataset")
    write_job(folder, job)
    done = work(folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[0] == "train: one-layer, 29,344 parameters, on 778 posts"
    return folder


def test_what_is_written_is_read_again(job: TrainingJob, elsewhere: Path, tmp_path: Path) -> None:
    write_job(tmp_path, job)
    assert read_job(tmp_path) == job
    report = read_report(elsewhere)
    write_report(tmp_path, report)
    assert read_report(tmp_path) == report
    assert (report.key, report.environment.steps, report.stopped) == (job.key, 3, False)
    assert report.training == replace(CONFIG, learning_rate=report.training.learning_rate)
    assert (elsewhere / report.weights / "model.safetensors").is_file()
    assert (elsewhere / report.weights / "tokenizer.json").is_file()


def test_a_run_takes_what_was_trained_elsewhere(
    workplace: Path, base: Path, elsewhere: Path
) -> None:
    folder = workplace / "runs" / "lyons____"
    for name in ("checkpoints", "training.json"):
        copy = shutil.copytree if (elsewhere / name).is_dir() else shutil.copy
        copy(elsewhere / name, folder / name)
    weights = elsewhere / read_report(elsewhere).weights / "model.safetensors"
    options = ["--max-steps", "3", "--report-to", "none"]
    done = run(workplace, "train", "lyons____", "--base", str(base), *options)
    assert done.returncode == 0, done.stderr
    assert "step " not in done.stderr and "evaluate: 86 held-out posts\n" in done.stderr
    assert (folder / "repo" / "model.safetensors").read_bytes() == weights.read_bytes()
    assert read_record(folder / "run.json").environment == read_report(elsewhere).environment
    left = {"checkpoints", "training.json", "config.json", "error.txt"}
    assert not left & {path.name for path in folder.iterdir()}


def test_a_report_of_other_inputs_is_not_taken(elsewhere: Path, job: TrainingJob) -> None:
    assert find_report(elsewhere, job.key)
    assert find_report(elsewhere, replace(job, inputs=job.inputs | {"seed": 1}).key) is None
    assert find_report(elsewhere / "dataset", job.key) is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"weights": "../repo"}, "../repo: not a path in checkpoints/; remove it"),
        ({"weights": "dataset"}, "dataset: not a path in checkpoints/; remove it"),
        ({"event_files": ("/etc/passwd",)}, "/etc/passwd: not a path in tracking/; remove it"),
        (
            {"passes": "many"},
            "passes: Input should be a valid array; remove it, and type: hubtweets publish {name}",
        ),
    ],
)
def test_a_hostile_report_gets_one_line(
    elsewhere: Path, tmp_path: Path, changes: dict[str, object], expected: str
) -> None:
    values = json.loads((elsewhere / "training.json").read_text())
    (tmp_path / "training.json").write_text(json.dumps(values | changes))
    with pytest.raises(HubtweetsError) as caught:
        read_report(tmp_path)
    assert str(caught.value) == f"{tmp_path}/training.json: {expected.format(name=tmp_path.name)}"


def test_a_worker_that_fails_says_why_in_a_file(job: TrainingJob, tmp_path: Path) -> None:
    assert work(tmp_path).returncode == 1
    expected = f"{tmp_path}/config.json: No such file or directory; type: hubtweets publish "
    assert (tmp_path / "error.txt").read_text() == expected + tmp_path.name
    (tmp_path / "error.txt").unlink()
    write_job(tmp_path, job)
    assert work(tmp_path).returncode == 1
    said = (tmp_path / "error.txt").read_text()
    assert "train.parquet" in said and "\n" not in said


def test_a_report_that_lacks_its_weights_is_not_taken(
    elsewhere: Path, job: TrainingJob, tmp_path: Path
) -> None:
    report = read_report(elsewhere)
    assert isinstance(report, TrainingReport)
    write_report(tmp_path, report)
    assert find_report(tmp_path, job.key) is None
