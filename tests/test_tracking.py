import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from accelerate import Accelerator

from hubtweets.errors import HubtweetsError
from hubtweets.record.run_record import Tracked
from hubtweets.training.tracking import trackers as tracking
from hubtweets.training.tracking import wandb as wandb_tracker
from hubtweets.training.tracking.base import flatten_config
from tests.conftest import environment

CONFIG = {
    "training": {"num_train_epochs": 4.0, "batch_size": 8, "max_steps": None},
    "base": {"id": "gpt2|<b>\n# x", "languages": ("en", "de")},
    "packed": True,
}
FLAT = {
    "training.num_train_epochs": 4.0,
    "training.batch_size": 8,
    "base.id": "gpt2|<b>\n# x",
    "base.languages": '["en", "de"]',
    "packed": True,
}
LOGGED = [
    ({"train/loss": 4.5, "train/learning_rate": 0.25}, 10),
    ({"eval/bits_per_byte": 2.5}, 10),
    ({"train/loss": 3.5, "train/learning_rate": 0.125}, 20),
]
SCALARS = [(step, name, value) for values, step in LOGGED for name, value in values.items()]

# a process that is killed after a point, or not; it prints what it found, and nothing else may be
# printed
PROGRAM = """
import json, os, sys
from pathlib import Path
from hubtweets.training.tracking.trackers import open_trackers
from tests.test_tracking import CONFIG, LOGGED
before = dict(os.environ)
data = [Path("posts.parquet"), Path("dataset/train.parquet"), Path("dataset/validation.parquet")]
with open_trackers(
    ["tensorboard", "wandb", "trackio"], Path("runs/bob/tracking"), "bob", "0123abcd", CONFIG, data
) as trackers:
    for values, step in LOGGED:
        trackers.log(values, step)
        if sys.argv[1] == "killed":
            # trackio writes in a thread of its own, a little later
            trackers.opened[-1].tracker.finish()
            os._exit(0)
    trackers.log_model(Path("repo"))
changed = sorted(
    name
    for name in before.keys() | os.environ.keys()
    if name.startswith(("WANDB", "TRACKIO", "GRADIO")) and before.get(name) != os.environ.get(name)
)
print(json.dumps([changed, [str(row) for row in trackers.tracked]]))
"""


def events(path: Path) -> tuple[list[str], list[tuple[int, str, float]]]:
    """Return the texts and the scalars of an event file.

    A record is 8 bytes of length, 4 of checksum, the event, 4 of checksum.
    """
    from tensorboardX.proto.event_pb2 import Event

    data, texts, scalars = path.read_bytes(), [], []
    while data:
        end = 12 + int.from_bytes(data[:8], "little")
        event = Event.FromString(data[12:end])
        assert (
            event.WhichOneof("what") == "summary" or event.file_version == "brain.Event:2"
        )  # nothing else, as a source or a host
        data = data[end + 4 :]
        for value in event.summary.value:
            if value.HasField("simple_value"):
                scalars.append((event.step, value.tag, value.simple_value))
            else:
                texts += [text.decode() for text in value.tensor.string_val]
    return texts, scalars


def tensorboard(folder: Path, last: int = 3) -> tracking.Trackers:
    with tracking.open_trackers(["tensorboard"], folder, "bob", "0123abcd", CONFIG, []) as trackers:
        Accelerator(cpu=True)
        for values, step in LOGGED[:last]:
            trackers.log(values, step)
        if last < 3:
            raise KeyboardInterrupt
        trackers.log_model(folder)
    return trackers


def test_tensorboard_shows_what_was_logged_and_not_where(tmp_path: Path) -> None:
    folder = tmp_path / "tracking"
    with pytest.raises(KeyboardInterrupt):
        tensorboard(folder, last=2)
    trackers = tensorboard(folder)  # in the place of the first
    (path,) = trackers.event_files
    assert [
        file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()
    ] == ["tensorboard/events.out.tfevents.hubtweets"]
    assert path == folder / "tensorboard/events.out.tfevents.hubtweets"
    (text,), scalars = events(path)
    assert text.splitlines() == [f"    {key}: {json.dumps(value)}" for key, value in FLAT.items()]
    assert scalars == SCALARS
    for secret in (str(Path.home()), str(tmp_path)):
        assert secret.encode() not in path.read_bytes()
    assert trackers.tracked == (Tracked("tensorboard", "train", None),)


def wandb_records(path: Path) -> dict[str, Any]:
    """Return the name, configuration, history and artifacts of an offline run.

    Of the 7 bytes before a record, 4 are a checksum and 2 are its length.
    """
    from wandb.proto.wandb_internal_pb2 import Record  # type: ignore[attr-defined]

    data = path.read_bytes()[7:]
    found: dict[str, Any] = {"config": {}, "history": [], "artifacts": {}}
    assert len(data) < 32_000  # longer ones come in blocks
    while data:
        end = 7 + int.from_bytes(data[4:6], "little")
        record = Record.FromString(data[7:end])
        data = data[end:]
        assert record.WhichOneof("record_type") not in (
            "environment",
            "stats",
            "output",
            "output_raw",
            "files",
        )
        if record.HasField("run"):
            found |= {
                "run": (
                    record.run.run_id,
                    record.run.project,
                    record.run.job_type,
                    record.run.display_name,
                )
            }
            assert (record.run.host, record.run.HasField("git")) == ("", False)
            found["config"] |= {
                item.key or item.nested_key[0]: json.loads(item.value_json)
                for item in record.run.config.update
            }
        if record.HasField("history"):
            row = {
                item.key or item.nested_key[0]: json.loads(item.value_json)
                for item in record.history.item
            }
            found["history"] += [
                (row["_step"], name, value)
                for name, value in sorted(row.items(), reverse=True)
                if not name.startswith("_")
            ]
        if record.HasField("artifact"):
            found["artifacts"][record.artifact.name] = (
                record.artifact.type,
                sorted(file.path for file in record.artifact.manifest.contents),
            )
    return found


def test_every_tracker_keeps_to_its_folder_and_shows_a_resumed_run_once(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "work"
    for name in (
        "posts.parquet",
        "dataset/train.parquet",
        "dataset/validation.parquet",
        "repo/model.safetensors",
        "repo/README.md",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    home.mkdir()
    subprocess.run(
        "git init -q . && git remote add origin https://secret-remote.example/x.git",
        shell=True,
        cwd=folder,
        check=True,
    )
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    own = {
        "WANDB_MODE": "offline",
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    for fate in ("killed", "whole"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, fate],
            cwd=folder,
            env=environment(home, **own),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert (done.returncode, done.stderr) == (0, "")
    rows = [
        Tracked("tensorboard", "train", None),
        Tracked("wandb", "preprocess", None),
        Tracked("wandb", "train", None),
    ]
    assert json.loads(done.stdout) == [
        [],
        [str(row) for row in [*rows, Tracked("trackio", "train", None)]],
    ]
    kept = folder / "runs/bob/tracking"
    assert (
        sorted(
            path.relative_to(tmp_path)
            for path in tmp_path.rglob("*")
            if kept.parents[1] not in (path, *path.parents)
        )
        == before
    )
    assert sorted(path.name for path in kept.iterdir()) == ["tensorboard", "trackio", "wandb"]

    assert events(kept / "tensorboard/events.out.tfevents.hubtweets")[1] == SCALARS
    data, train = [wandb_records(path) for path in sorted(kept.glob("wandb/offline-run-*/*.wandb"))]
    assert {**data, "config": None} == {
        "run": ("0123abcd-data", "hubtweets", "preprocess", "bob"),
        "config": None,
        "history": [],
        "artifacts": {
            "raw-bob": ("dataset", ["posts.parquet"]),
            "curated-bob": ("dataset", ["train.parquet", "validation.parquet"]),
        },
    }
    del train["config"]["_wandb"]
    assert train == {
        "run": ("0123abcd", "hubtweets", "train", "bob"),
        "config": {**FLAT, "data": "curated-bob"},
        "history": [
            (10, "train/loss", 4.5),
            (10, "train/learning_rate", 0.25),
            (10, "eval/bits_per_byte", 2.5),
            *SCALARS[-2:],
        ],
        "artifacts": {"model-bob": ("model", ["README.md", "model.safetensors"])},
    }
    sent = b"".join(path.read_bytes() for path in kept.glob("wandb/offline-run-*/*.wandb"))
    for secret in (str(tmp_path), str(Path.home()), sys.executable, "secret-remote", "whole"):
        assert secret.encode() not in sent

    import sqlite3

    with sqlite3.connect(kept / "trackio/hubtweets.db") as database:
        logged = database.execute(
            "SELECT run_name, step, metrics FROM metrics ORDER BY id"
        ).fetchall()
        ((config,),) = database.execute("SELECT config FROM configs").fetchall()
    assert [
        (step, name, value)
        for _, step, metrics in logged
        for name, value in json.loads(metrics).items()
    ] == SCALARS
    assert {run for run, _, _ in logged} == {"bob"}
    assert {
        key: value for key, value in json.loads(config).items() if not key.startswith("_")
    } == FLAT


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {},
            "--report-to wandb: not logged in; type: wandb login, or set WANDB_MODE=offline",
        ),
        (
            {"WANDB_API_KEY": "short"},
            (
                "--report-to wandb: WANDB_API_KEY invalid: "
                "API key must have 40+ characters, has 5.; type: wandb login, or set"
            ),
        ),
        (
            {"WANDB_API_KEY": "0" * 40},
            (
                "--report-to wandb: Failed to get resume status for run 0123abcd-data: "
                "context deadline exceeded while retrying: Post"
            ),
        ),
    ],
)
def test_wandb_without_a_login_or_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], message: str
) -> None:
    monkeypatch.setattr(wandb_tracker, "CONNECT_SECONDS", 2.0)
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "HOME": str(tmp_path),
        "WANDB_BASE_URL": "http://127.0.0.1:9",
        **variables,
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "posts.parquet").touch()
    with (
        pytest.raises(HubtweetsError) as raised,
        tracking.open_trackers(
            ["wandb"],
            tmp_path / "tracking",
            "bob",
            "0123abcd",
            CONFIG,
            [tmp_path / "posts.parquet"],
        ),
    ):
        pass
    assert str(raised.value).startswith(message) and "\n" not in str(raised.value)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        tracking.TRACKERS, "imaginary", tracking.TRACKERS["wandb"]._replace(package="imaginary")
    )
    tracking.check_installed(["tensorboard", "wandb", "trackio"])
    with pytest.raises(HubtweetsError) as raised:
        tracking.check_installed(["imaginary"])  # type: ignore[list-item]
    assert str(raised.value) == (
        "--report-to imaginary needs a package that is not installed; "
        "type: pip install 'hubtweets[imaginary]'"
    )


def test_settings_become_one_level() -> None:
    assert flatten_config(CONFIG) == FLAT
