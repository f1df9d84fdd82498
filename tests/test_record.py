import json
import os
from pathlib import Path

import pytest

from hubtweets.errors import HubtweetsError
from hubtweets.files import write_atomically
from hubtweets.record import run_record, serialization
from tests.records import RECORD


def test_read_back_as_written(tmp_path: Path) -> None:
    serialization.write_record(RECORD, tmp_path / "run.json")
    assert serialization.read_record(tmp_path / "run.json") == RECORD


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"num_train_epochs"', '"epoch"'),
        ('"kept": 864', '"kept": 865'),
        ('"reposts": 1225', '"reposts": "many"'),
        ('"handle": "lyons____",\n  "hub', '"hub'),
        ('"history"', '"extra": 1, "history"'),
        ("{", ""),
    ],
)
def test_what_does_not_fit_gets_one_line(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "run.json"
    text = serialization.dumps(RECORD)
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(
        HubtweetsError,
        match=r"run.json: not a record of this version \(.+\); "
        r"remove this file and publish again; downloaded posts are kept$",
    ):
        serialization.read_record(path)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (
            '"hubtweets_version": "0.9.1",\n  "schema_version": 99',
            "schema 99, of another version of hubtweets; type: pip install hubtweets==0.9.1",
        ),
        (
            '"hubtweets_version": "0.1.0",\n  "schema_version": 1',
            "schema 1, of another version of hubtweets; type: pip install hubtweets==0.1.0",
        ),
        (
            '"schema_version": 99, "unheard_of": {}',
            "schema 99, of another version of hubtweets; type: pip install hubtweets",
        ),
        (
            '"hubtweets_version": "; rm -r ~"',
            "schema None, of another version of hubtweets; type: pip install hubtweets",
        ),
        (
            f'"schema_version": "{"9" * 5000}"',
            f"schema {'9' * 20}, of another version of hubtweets; type: pip install hubtweets",
        ),
    ],
)
def test_a_run_of_another_schema_names_the_version_that_wrote_it(
    tmp_path: Path, new: str, said: str
) -> None:
    path, old = (
        tmp_path / "run.json",
        f'"hubtweets_version": "0.1.0",\n  "schema_version": {run_record.SCHEMA_VERSION}',
    )
    text = serialization.dumps(RECORD)
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(serialization.OtherVersionError) as error:
        serialization.read_record(path)
    assert (
        str(error.value)
        == f"{path}: {said}, or remove this file and publish again; downloaded posts are kept"
    )


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "9" * 5000, '{"schema_version": NaN}', "[]", "null", "\ufeff{}", "\udcff"],
)
def test_what_is_no_record_at_all_gets_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(text, errors="surrogateescape")
    with pytest.raises(
        HubtweetsError,
        match=r"run.json: not a record of this version \(.+\); "
        r"remove this file and publish again; .+$",
    ):
        serialization.read_record(path)


def test_the_public_record_has_no_stages_and_no_push() -> None:
    public = json.loads(serialization.dumps_public(RECORD, "# card"))
    assert set(json.loads(serialization.dumps(RECORD))) - set(public) == {"stages", "published"}
    assert public["schema_version"] == run_record.SCHEMA_VERSION


def test_the_public_record_is_read_back_with_its_card() -> None:
    assert serialization.read_public_record(
        serialization.dumps_public(RECORD, "# card"), "hubtweets.json"
    ) == (RECORD, "# card")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '"schema_version": 6',
            '"schema_version": 99',
            r"schema 99, of another version of hubtweets; type: pip install hubtweets==0\.1\.0",
        ),
        (
            '"hubtweets_version": "0.1.0",\n  "schema_version": 6',
            '"hubtweets_version": "; rm -r"',
            r"schema None, of .+; type: pip install hubtweets",
        ),
        ('"threshold": 0.5', '"threshold": NaN', r"not a record of hubtweets \(expected .+"),
        ('"threshold": 0.5', '"threshold": 1e999', r"not a record of hubtweets \(Out of range .+"),
        (
            '"downloaded": 3086',
            f'"downloaded": {"9" * 5000}',
            r"not a record of hubtweets \(number out of range .+",
        ),
        (
            '"threshold": 0.5',
            '"threshold": ' + "[" * 10_000,
            r"not a record of hubtweets \(recursion limit .+",
        ),
        ('"# card"', '"\\ud800"', r"not a record of hubtweets \(unexpected end of hex escape .+"),
        ('"# card"', "null", r"not a record of hubtweets \(no object with a card\).+"),
        (
            '"card": ',
            '"stages": {}, "card": ',
            r"not a record of hubtweets \(it has sections that are never published\).+",
        ),
        (
            '"avatar.png"',
            '"../avatar.png"',
            r"not a record of hubtweets \(it names the file \.\./avatar\.png\).+",
        ),
        (
            '"avatar.png"',
            '"/etc/passwd"',
            r"not a record of hubtweets \(it names the file /etc/passwd\).+",
        ),
        (
            '"files": []',
            '"files": [{"path": "a/../../b", "sha256": "", "size": 1}]',
            r".+\(it names the file a/\.\./\.\./b\).+",
        ),
        ('"kept": 864', '"kept": 865', r"not a record of hubtweets \(counts\.0: Value error, .+"),
    ],
)
def test_a_foreign_record_that_does_not_fit_gets_one_line(old: str, new: str, said: str) -> None:
    text = serialization.dumps_public(RECORD, "# card")
    assert old in text
    with pytest.raises(HubtweetsError, match=f"^hubtweets.json: {said}$"):
        serialization.read_public_record(text.replace(old, new, 1), "hubtweets.json")


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.json"
    path.write_text("old")
    monkeypatch.setattr(os, "replace", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_atomically(path, b"new")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("run.json", "old")]
