"""`hubtweets runs` and `hubtweets info`: what they say of whole, unfinished and broken runs."""

import json
import re
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import hubtweets
from hubtweets.cli.main import main
from hubtweets.cli.runs import format_time
from hubtweets.record.run_folder import SECTIONS
from hubtweets.record.run_record import RunRecord
from hubtweets.record.serialization import read_record, write_record

DOCS = (Path(__file__).parent.parent / "docs" / "json.md").read_text(encoding="utf-8")
URL = "http://127.0.0.1:8086/huggingtweets/lyons____"


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def here(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the published run, without its large files."""
    repo = Path("runs", "lyons____", "repo")
    (tmp_path / repo).mkdir(parents=True)
    for path in (repo.parent / "run.json", repo / "hubtweets.json"):
        shutil.copy2(published / path, tmp_path / path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_info_says_what_the_record_says(here: Path) -> None:
    record = read_record(here / "runs/lyons____/run.json")
    done, run = invoke("info", "lyons____"), hubtweets.open_run("lyons____").info()
    assert record.metrics and record.samples and record.audit and record.published
    after, before = record.metrics.tuned.bits_per_byte, record.metrics.base.bits_per_byte
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"run        runs/lyons____, changed {format_time(run.changed)}",
        "posts      864 of 3,086 kept",
        "dataset    778 to train on, 86 held out",
        "base       one-layer",
        f"score      {after:.3f} bits per byte, {before:.3f} for the untouched base",
        f"samples    10, of which {record.audit.copies} copy a post",
        f"published  {URL}",
        f"commit     {record.published.commit}, tag v1",
        "next       hubtweets verify huggingtweets/lyons____ --hub local",
        *(f"- {sample.text}" for sample in run.samples),
    ]
    assert [sample.text for sample in run.samples] == [
        sample.text for sample in record.samples.list_picked()
    ]
    document = json.loads(invoke("info", "lyons____", "--json").stdout)
    assert document == {"schema_version": 1} | json.loads(json.dumps(asdict(run)))
    assert json.loads(invoke("runs", "--json").stdout) == {
        "schema_version": 1,
        "runs": [json.loads(json.dumps(asdict(run)))],
        "broken": [],
    }
    assert [name for name in list_fields(document) if f"`{name}`" not in DOCS] == []


def test_every_stage_prints_the_run(
    workplace: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workplace)
    for name in ("HUBTWEETS_HUB_DIR", "HF_HOME"):
        monkeypatch.setenv(name, str(workplace / "hub"))
    training = ["--base", str(base), "--num-train-epochs", "1"]
    sampling = ["--samples", "10"]
    for command in (
        ["publish", *training, *sampling, "--hub", "local"],
        ["curate", "--explain"],
        ["train", *training],
        ["sample", *sampling],
        ["push", "--hub", "local"],
    ):
        done = invoke(*command, "lyons____", "--json", "--quiet")
        assert (done.exit_code, done.stderr) == (0, ""), command
        assert done.stdout == invoke("info", "lyons____", "--json").stdout, command
    failed = invoke("train", "lyons____", "--lora", "--base", "tiny", "--json")
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert failed.stderr.splitlines()[-1].startswith("Error: tiny is not on the Hub")


def list_fields(value: object) -> list[str]:
    """Return the names of the fields of a JSON document, at any depth."""
    if isinstance(value, list):
        return [name for one in value for name in list_fields(one)]
    if isinstance(value, dict):
        return [*value, *(name for one in value.values() for name in list_fields(one))]
    return []


def undo(record: RunRecord, first: str) -> RunRecord:
    """Return a record without a stage and the later ones."""
    empty, stages = RunRecord("", ""), dict(record.stages)
    for stage in list(SECTIONS)[list(SECTIONS).index(first) :]:
        stages.pop(stage, None)
        record = replace(record, **{name: getattr(empty, name) for name in SECTIONS[stage]})
    return replace(record, stages=stages, published=None)


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("curate", "hubtweets curate lyons____"),
        ("train", "hubtweets train lyons____"),
        ("evaluate", "hubtweets train lyons____"),
        ("sample", "hubtweets sample lyons____"),
        ("snippets", "hubtweets push lyons____ --hub local"),
    ],
)
def test_info_says_what_comes_next(here: Path, first: str, expected: str) -> None:
    path = here / "runs/lyons____/run.json"
    write_record(undo(read_record(path), first), path)
    info = hubtweets.open_run("lyons____").info()
    assert info.next.command == expected
    assert f"  {expected}\n" in invoke("info", "lyons____").stdout


def test_other_picks_are_to_be_pushed(here: Path) -> None:
    path = here / "runs/lyons____/run.json"
    record = read_record(path)
    assert record.samples
    write_record(replace(record, samples=replace(record.samples, picked=(1,))), path)
    info = hubtweets.open_run("lyons____").info()
    assert info.next.command == "hubtweets push lyons____ --hub local"


def test_broken_and_foreign_folders_get_a_line_each(here: Path) -> None:
    runs = here / "runs"
    for name, text in {
        "cut": (runs / "lyons____" / "run.json").read_text()[:100],
        "old": '{"schema_version": 1, "hubtweets_version": "0.0.1"}',
        "list": "[]",
        "deep": "[" * 100_000,
        "bad\x1b[2J": "{}",
        "-option": "{}",
    }.items():
        (runs / name).mkdir()
        (runs / name / "run.json").write_text(text)
    (runs / "notes").mkdir()
    (runs / "folder" / "run.json").mkdir(parents=True)
    (runs / "notes.txt").touch()
    done = invoke("runs")
    score = hubtweets.open_run("lyons____").info().bits_per_byte
    header, row = done.stdout.splitlines()
    assert header.split() == ["Run", "Posts", "Base", "Bits", "per", "byte", "Changed", "Published"]
    assert re.fullmatch(
        rf"lyons____    864  one-layer +{score:.3f}  \d{{4}}-\d\d-\d\d \d\d:\d\d  "
        r"huggingtweets/lyons____ \(local\)",
        row,
    )
    lines = done.stderr.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        "runs/-option",
        "runs/bad\ufffd[2J",
        *(f"runs/{name}" for name in ("cut", "deep", "folder", "list", "notes", "old")),
    ]
    assert lines[2].startswith("runs/cut: run.json: not a record of this version (")
    assert "pip install hubtweets==0.0.1" in done.stderr and done.exit_code == 0
    document = json.loads(invoke("runs", "--json").stdout)
    assert [run["name"] for run in document["runs"]] == ["lyons____"]
    assert len(document["broken"]) == len(lines) == 8


def test_no_runs_are_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = invoke("runs")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "runs: no run yet; type: hubtweets publish NAME\n"
    assert json.loads(invoke("runs", "--json").stdout) == {
        "schema_version": 1,
        "runs": [],
        "broken": [],
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lyons___", "runs/lyons___: no such run; did you mean lyons____?"),
        ("bob", "runs/bob: no such run; there is lyons____; type: hubtweets publish bob"),
    ],
)
def test_a_misspelt_run_gets_a_suggestion(here: Path, name: str, expected: str) -> None:
    for command in (["info"], ["train"], ["sample"], ["generate", "--"]):
        done = invoke(*command, name, *(["hello"] * (command[0] == "generate")))
        assert (done.exit_code, done.stderr) == (1, f"Error: {expected}\n")
    assert not (here / "runs" / name).exists()


# arguments of a command that refuses the posts, and what its error holds
REFUSALS = [
    (["alice", "--posts", "missing.zip"], "file not found"),
    (["alice", "--posts", "alice.zip"], "cut or damaged"),
    (["alice", "--posts", "few.txt"], "are too few, 6,000 are needed"),
    (["alice", "--posts", "many.csv"], "posts of 2 authors (bob 1, carol 1)"),
    (["alice", "--posts", "many.csv", "--text-column", "x"], "no column is called 'x'"),
    (
        ["alice", "--posts", "long.txt", "--rules", "classic", "--split", "time"],
        "have no date to split them by",
    ),
    (["alice", "--posts", "x:alice"], "no token for X's API"),
    (["alice", "--posts", "bluesky:alice"], "not the handle of a Bluesky account"),
    (["alice", "bob", "--posts", "alice=few.txt"], "no posts of bob here"),
    (["a b"], "not a handle"),
]


def test_a_refusal_leaves_no_run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("X_BEARER_TOKEN", "TWITTER_BEARER_TOKEN", "BEARER_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    Path("alice.zip").write_bytes(b"PK\3\4")
    Path("few.txt").write_text("hello to you\n")
    Path("many.csv").write_text("text,user\na,bob\nb,carol\n")
    words = [f"this is the thought of the day with the number {number}" for number in range(200)]
    Path("long.txt").write_text("\n".join(words))
    commands = [("curate", *refusal) for refusal in REFUSALS]
    commands += [("publish", *refusal) for refusal in REFUSALS[:4]]
    for command, arguments, expected in commands:
        # no Hub is there, which publish says besides
        nowhere = ["--base", "tiny", "--hub", "http://127.0.0.1:9"] * (command == "publish")
        done = invoke(command, *arguments, *nowhere)
        assert (done.exit_code == 0, expected in done.stderr) == (False, True), done.stderr
        assert not Path("runs").exists(), arguments
