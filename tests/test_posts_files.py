"""Plain files and datasets: each kind with its posts, and damaged ones with their errors."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import ipc, parquet

from hubtweets.errors import HubtweetsError
from hubtweets.posts.container import Container
from hubtweets.posts.post import Columns, Post, Profile
from hubtweets.posts.tables import files
from tests.conftest import environment

Write = Callable[[Path], object]
NAMED = Columns()
DAY = "2026-01-02T00:00:00+00:00"


def read(path: Path, columns: Columns = NAMED) -> list[Post]:
    return list(files.read(Container(path), columns, "alice").posts)


def write(path: Path, content: "str | bytes | list | dict | pyarrow.Table") -> Path:
    """Write a file as its suffix asks for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, pyarrow.Table) and path.suffix == ".arrow":
        with ipc.new_stream(path, content.schema) as stream:
            stream.write_table(content)
    elif isinstance(content, pyarrow.Table):
        parquet.write_table(content, path)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(
            content if isinstance(content, str) else json.dumps(content),
            encoding="utf-8",
            newline="",
        )
    return path


def table(**columns: Any) -> pyarrow.Table:
    return pyarrow.table(columns)


def dictionary(*values: str) -> pyarrow.Array:
    return pyarrow.array(values).dictionary_encode()


def times(unit: str, zone: str | None = None) -> pyarrow.Array:
    return pyarrow.array([datetime(2026, 1, 2, tzinfo=UTC)]).cast(pyarrow.timestamp(unit, zone))


def samples(folder: Path) -> list[Path]:
    """Write a small file of each kind, and a zip of one."""
    rows = [
        {
            "id": "7",
            "text": "hello to the world",
            "created_at": "2026-01-02T01:00:00+01:00",
            "lang": "de",
            "is_retweet": False,
            "visibility": "public",
        },
        {
            "id": "8",
            "text": "somebody else's",
            "created_at": "2026-01-02",
            "lang": None,
            "is_retweet": True,
            "visibility": "public",
        },
        {
            "id": "9",
            "text": "for my friends",
            "created_at": None,
            "lang": None,
            "is_retweet": False,
            "visibility": "private",
        },
    ]
    written = [
        write(
            folder / "a.jsonl",
            '{"_meta": {"of": "alice"}}\n' + "".join(json.dumps(row) + "\n" for row in rows),
        ),
        write(folder / "array.json", rows),
        write(folder / "texts.json", ["one text", "another"]),
        write(folder / "object.json", {"tags": ["a"], "posts": rows}),
        write(
            folder / "a.csv",
            'id;text;created_at;is_retweet;visibility\n7;"hello\nto '
            '""you""";2026-01-02;false;public\n8;no;;true;public\n9;no;;;direct\n',
        ),
        write(folder / "a.tsv", "id\ttext\n7\thello\n"),
        write(folder / "a.txt", "one post\n\nanother\n"),
        write(folder / "a.parquet", pyarrow.Table.from_pylist(rows)),
        write(
            folder / "saved" / "data-00000-of-00001.arrow", pyarrow.Table.from_pylist(rows)
        ).parent,
        folder / "a.zip",
    ]
    write(
        folder / "saved" / "state.json",
        {"_data_files": [{"filename": "data-00000-of-00001.arrow"}]},
    )
    write(folder / "saved" / "dataset_info.json", {"features": {}})
    with zipfile.ZipFile(folder / "a.zip", "w") as opened:
        opened.write(folder / "a.parquet", "data/train.parquet")
    return written


SAMPLE = [
    Post("7", "hello to the world", DAY, "de"),
    Post("8", "somebody else's", DAY, None, "repost"),
    Post("9", "", None, None, "post", "private"),
]
SAMPLES: dict[str, tuple[str, list[Post]]] = {
    "a.jsonl": ("jsonl", SAMPLE),
    "array.json": ("json", SAMPLE),
    "texts.json": ("json", [Post("1", "one text"), Post("2", "another")]),
    "object.json": ("json", SAMPLE),
    "a.csv": (
        "csv",
        [
            Post("7", 'hello\nto "you"', DAY),
            Post("8", "no", kind="repost"),
            Post("9", "", visibility="private"),
        ],
    ),
    "a.tsv": ("csv", [Post("7", "hello")]),
    "a.txt": ("text", [Post("1", "one post"), Post("2", "another")]),
    "a.parquet": ("parquet", SAMPLE),
    "saved": ("dataset", SAMPLE),
    "a.zip": ("parquet", SAMPLE),
}


def test_every_kind(tmp_path: Path) -> None:
    found = {}
    for path in samples(tmp_path):
        reading = files.read(Container(path), NAMED, "alice")
        assert (reading.profile, reading.avatar, reading.warnings) == (Profile("", ""), None, [])
        found[path.name] = (reading.kind, list(reading.posts))
    assert found == SAMPLES


CONTENTS: list[tuple[str, Any, Columns, list[Post]]] = [
    # JSON Lines
    (
        "a.jsonl",
        '\ufeff{"text": "one <b>&amp;</b>", "created_at": "yesterday"}\r\n\n{"text": "b '
        '\\ud83d", "id": 7}',
        NAMED,
        [Post("1", "one <b>&amp;</b>"), Post("7", "b \ufffd")],
    ),
    (
        "a.jsonl",
        '{"text": null, "id": null, "lang": ["de"]}\n{"text": "", "id": [1]}\n{"text": '
        '2026, "id": NaN, "created_at": 1e999}',
        NAMED,
        [Post("1", ""), Post("2", ""), Post("3", "2026")],
    ),
    (
        "a.jsonl",
        '{"Content": "a", "createdAt": 1767312000}\n{"TEXT": "b", "content": "no", '
        '"date": 1767312000000}',
        NAMED,
        [Post("1", "a", DAY), Post("2", "b", DAY)],
    ),
    ("a.csv", "content,date_time\na,2026-01-02\n", NAMED, [Post("1", "a", DAY)]),
    (
        "a.jsonl",
        '{"title": "a story", "selftext": "of a robot"}\n{"title": "b", "selftext": ""}',
        NAMED,
        [Post("1", "a story\nof a robot"), Post("2", "b")],
    ),
    (
        "a.jsonl",
        '{"text": "no", "Mine": "yes", "day": "2026-01-02", "key": 5, "shared": "t"}\n'
        '{"mine": "b"}',
        Columns("mine", "day", "KEY", "shared"),
        [Post("5", "yes", DAY, None, "repost"), Post("2", "b")],
    ),
    (
        "a.jsonl",
        '{"text": "RT @bob_1: hi"}\n{"text": "RT @bob hi"}\n{"text": "RT @bob: hi", '
        '"is_retweet": false}',
        NAMED,
        [
            Post("1", "RT @bob_1: hi", kind="repost"),
            Post("2", "RT @bob hi"),
            Post("3", "RT @bob: hi"),
        ],
    ),
    (
        "a.jsonl",
        '{"text": "a", "visibility": "unlisted"}\n{"content": "secret", "visibility": '
        '"Direct", "lang": "de"}',
        NAMED,
        [Post("1", "a", visibility="unlisted"), Post("2", "", visibility="private")],
    ),
    # JSON
    ("a.json", '\ufeff\n[{"text": "a"}]', NAMED, [Post("1", "a")]),
    ("a.json", '{"text": "a"}\n{"text": "b"}\n', NAMED, [Post("1", "a"), Post("2", "b")]),
    ("a.json", '{"_meta": 1}\n{"text": "b"}\n', NAMED, [Post("1", "b")]),
    ("a.json", {"n": 1, "langs": ["en"], "posts": [{"text": "a"}]}, NAMED, [Post("1", "a")]),
    ("a.json", {"posts": ["a", "b"]}, NAMED, [Post("1", "a"), Post("2", "b")]),
    ("a.json", [], NAMED, []),
    # CSV
    ("a.csv", "\ufefftext,id\r\nhello,7\r\n\r\n", NAMED, [Post("7", "hello")]),
    (
        "a.csv",
        'text, date ,id\n"a, b",2026-01-02\none ⏎ two,,,,\n',
        NAMED,
        [Post("1", "a, b", DAY), Post("2", "one\ntwo")],
    ),
    ("a.csv", "id\ttext\n1\ta, b; c\n", NAMED, [Post("1", "a, b; c")]),
    ("a.tsv", "text\na, b; c\n", NAMED, [Post("1", "a, b; c")]),
    ("a.csv", "text\n", NAMED, []),
    ("a.csv", "", NAMED, []),
    # Parquet
    (
        "a.parquet",
        table(text=dictionary("a"), date=times("ns", "America/New_York")),
        NAMED,
        [Post("1", "a", DAY)],
    ),
    ("a.parquet", table(text=["a"], date=times("s")), NAMED, [Post("1", "a", DAY)]),
    (
        "a.parquet",
        table(text=["a"], date=pyarrow.array([date(2026, 1, 2)])),
        NAMED,
        [Post("1", "a", DAY)],
    ),
    (
        "a.parquet",
        table(text=["a", None], date=pyarrow.array([2**62, None], pyarrow.timestamp("us"))),
        NAMED,
        [Post("1", "a"), Post("2", "")],
    ),
    (
        "a.parquet",
        table(text=["a"], id=[1353378455178633217], picture=[{"bytes": b"x"}]),
        NAMED,
        [Post("1353378455178633217", "a")],
    ),
    (
        "a.parquet",
        table(text=["a", "b"], reblog=[{"id": "1"}, None]),
        NAMED,
        [Post("1", "a", kind="repost"), Post("2", "b")],
    ),
    # text, which has no columns
    ("a.txt", "one", Columns("mine", "day", "key", "shared"), [Post("1", "one")]),
    (
        "a.txt",
        "\ufeff one \r\n\r\ntwo\u2028lines",
        NAMED,
        [Post("1", "one"), Post("2", "two\u2028lines")],
    ),
]


@pytest.mark.parametrize(("name", "content", "columns", "expected"), CONTENTS)
def test_contents(
    tmp_path: Path, name: str, content: Any, columns: Columns, expected: list[Post]
) -> None:
    assert read(write(tmp_path / name, content), columns) == expected


YES: list[Any] = [
    True,
    1,
    "true",
    "True",
    "t",
    "yes",
    "1",
    "retweet",
    {"id": 1},
    [{"type": "retweeted"}],
    [{"id": 1}],
    "[{'type': 'retweeted'}]",
]
NO: list[Any] = [
    False,
    0,
    None,
    "",
    "false",
    "no",
    "0",
    "post",
    {},
    [],
    [{"type": "quoted"}],
    7,
    float("nan"),
    "[{'type': 'replied_to'}]",
]


@pytest.mark.parametrize(
    "column", ["is_retweet", "isRetweet", "Post_Type", "reblog", "referenced_tweets"]
)
def test_reposts(tmp_path: Path, column: str) -> None:
    found = read(write(tmp_path / "a.json", [{"text": "a", column: value} for value in YES + NO]))
    assert [post.kind for post in found] == ["repost"] * len(YES) + ["post"] * len(NO)


CORRUPT: list[tuple[str, Any, Columns, str]] = [
    (
        "a.jsonl",
        '{"text": "one"}\n{"text": "two"\n',
        NAMED,
        "line 2 is not JSON (Expecting ',' delimiter: line 2 column 1 (char 15)); write one object "
        "per line",
    ),
    (
        "a.jsonl",
        '{"text": "one"}\n\n["two"]\n',
        NAMED,
        'line 3 has no "text"; write one object per line, such as {"text": "my post"}',
    ),
    (
        "a.jsonl",
        '{"text": "one"}\n{"_meta": 1}\n',
        NAMED,
        'line 2 has no "text"; write one object per line, such as {"text": "my post"}',
    ),
    (
        "a.jsonl",
        '{"text": {"a": 1}}',
        NAMED,
        'line 1 has no "text"; write one object per line, such as {"text": "my post"}',
    ),
    (
        "a.jsonl",
        '{"text": "one"}',
        Columns(text="mine"),
        'line 1 has no "mine"; write one object per line, such as {"text": "my post"}',
    ),
    (
        "a.jsonl",
        '{"text": "one"}',
        Columns(date="day"),
        "no column is called 'day' (there are: text); name one of them with --date-column",
    ),
    (
        "a.jsonl",
        "[" * 100_000,
        NAMED,
        "line 1 is not JSON (maximum recursion depth exceeded while decoding a JSON array from a "
        "unicode string); write one object per line",
    ),
    (
        "a.jsonl",
        "1" * (16 * 2**20 + 1),
        NAMED,
        "line 1 is longer than 4 Mi characters; write one post per line",
    ),
    (
        "a.txt",
        "one\n".encode("utf-16-le"),
        NAMED,
        "line 1 is not UTF-8 (it holds a NUL); save the file as UTF-8",
    ),
    (
        "a.csv",
        "text\ncafé\n".encode("latin-1"),
        NAMED,
        "near line 1 is not UTF-8 (invalid continuation byte); save the file as UTF-8",
    ),
    (
        "a.json",
        '[{"text": "a"}, {"text": "b"',
        NAMED,
        "cut, or not JSON with a list of posts (Expecting ',' delimiter: line 1 column 13 (char "
        "12)); "
        'write an array of objects such as {"text": "my post"}',
    ),
    (
        "a.json",
        [{"text": "a"}, 5],
        NAMED,
        'item 2 has no "text"; write an array of objects such as {"text": "my post"}',
    ),
    (
        "a.json",
        {"a": 1, "b": [], "c": [1]},
        NAMED,
        "cut, or not JSON with a list of posts (no list of posts in it); write an array of objects "
        'such as {"text": "my post"}',
    ),
    (
        "a.json",
        "",
        NAMED,
        "cut, or not JSON with a list of posts (Expecting value: line 1 column 1 (char 0)); "
        'write an array of objects such as {"text": "my post"}',
    ),
    (
        "a.csv",
        "id,day\n1,2\n",
        NAMED,
        "can't tell which column holds the texts (there are: id, "
        "day); name one of them with --text-column",
    ),
    (
        "a.csv",
        "id,text\n1,a\n",
        Columns(id="key"),
        "no column is called 'key' (there are: id, text); name one of them with --id-column",
    ),
    (
        "a.csv",
        "id,text\n1,a\n",
        Columns(repost="rt"),
        "no column is called 'rt' (there are: id, text); name one of them with --repost-column",
    ),
    (
        "a.csv",
        "id,text\n1,a, b\n",
        NAMED,
        "line 2 is not CSV (3 cells, but the first row has 2); put texts in quotes, and double the "
        "quotes in them",
    ),
    (
        "a.csv",
        'id,text\n1,"a\n2,b\n',
        NAMED,
        "line 3 is not CSV (unexpected end of data); put "
        "texts in quotes, and double the quotes in them",
    ),
    (
        "a.csv",
        "id,text\n1,a\0\n",
        NAMED,
        "line 2 is not UTF-8 (it holds a NUL); save the file as UTF-8",
    ),
    (
        "a.parquet",
        table(id=["1"]),
        NAMED,
        "can't tell which column holds the texts (there are: "
        "id); name one of them with --text-column",
    ),
    (
        "a.parquet",
        table(text=[["a"]]),
        NAMED,
        'row 1 has no "text"; name the column of the texts with --text-column',
    ),
    (
        "a.parquet",
        b"PAR1",
        NAMED,
        "can't be read (Parquet file size is 4 bytes, smaller than the minimum file footer (8 "
        "bytes)); "
        "download it again, or give its posts as a .csv or .jsonl file",
    ),
]


@pytest.mark.parametrize(
    ("name", "content", "columns", "expected"), CORRUPT, ids=[expected for *_, expected in CORRUPT]
)
def test_corrupt_files_get_one_line(
    tmp_path: Path, name: str, content: Any, columns: Columns, expected: str
) -> None:
    path = write(tmp_path / name, content)
    with pytest.raises(HubtweetsError) as caught:
        read(path, columns)
    assert str(caught.value).removeprefix(str(path)).lstrip(": ") == expected


def test_a_folder_of_one_table(tmp_path: Path) -> None:
    for name in ("2.csv", "1.csv", "README.md", ".gitattributes", "deep/3.csv"):
        write(tmp_path / name, f"text\nfrom {name}\n")
    assert read(tmp_path) == [
        Post("1", "from 1.csv"),
        Post("2", "from 2.csv"),
        Post("3", "from deep/3.csv"),
    ]
    write(tmp_path / "4.csv", "nothing\n")
    write(tmp_path / "deep" / "3.csv", "text\n\0")
    with pytest.raises(HubtweetsError) as caught:
        read(tmp_path)
    assert (
        str(caught.value)
        == f"{tmp_path}: deep/3.csv: line 2 is not UTF-8 (it holds a NUL); save the file as UTF-8"
    )


@pytest.mark.parametrize("names", [["a.csv", "b.jsonl"], ["a.csv", "photo.jpg"], ["a.md"], []])
def test_other_folders_are_none_of_ours(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        write(tmp_path / name, "text\n")
    assert files.find_files(Container(tmp_path)) == []


def test_a_folder_of_save_to_disk(tmp_path: Path) -> None:
    from datasets import Dataset, DatasetDict

    train, test = (
        Dataset.from_dict({"text": [text], "date": [datetime(2026, 1, 2, tzinfo=UTC)]})
        for text in ("a", "b")
    )
    DatasetDict(train=train, test=test).save_to_disk(tmp_path / "both")
    write(tmp_path / "both" / "train" / "cache-1.arrow", "what a map left behind")
    assert read(tmp_path / "both") == [Post("1", "b", DAY), Post("2", "a", DAY)]
    cut = next((tmp_path / "both").rglob("data*.arrow"))
    cut.write_bytes(cut.read_bytes()[:-40])
    with pytest.raises(HubtweetsError, match="can't be read"):
        read(tmp_path / "both")


def test_a_long_file_is_streamed(tmp_path: Path) -> None:
    import tracemalloc

    text = "hello to the whole world " * 400
    item = json.dumps({"text": text})
    paths = [
        write(tmp_path / "a.jsonl", (item + "\n") * 3000),
        write(tmp_path / "a.json", "[" + ",".join([item] * 3000) + "]"),
        write(tmp_path / "a.csv", "text\n" + (text + "\n") * 3000),
        write(tmp_path / "a.txt", (text + "\n") * 3000),
        write(tmp_path / "a.parquet", table(text=[f"{number} {text}" for number in range(3000)])),
    ]
    for path in paths:
        tracemalloc.start()
        posts = files.read(Container(path), NAMED, "alice").posts
        assert sum(1 for _ in posts) == 3000
        assert tracemalloc.get_traced_memory()[1] < 15 * 2**20, path  # of 30
        tracemalloc.stop()


DATASETS = """
import json, os, sys
from pathlib import Path
from huggingface_hub import HfApi
api = HfApi()
for name, file, content in json.loads(sys.argv[1]):
    api.create_repo(name, repo_type="dataset", exist_ok=True)
    api.upload_file(
        path_or_fileobj=content.encode(), path_in_repo=file, repo_id=name, repo_type="dataset"
    )
api.upload_file(
    path_or_fileobj=sys.argv[2],
    path_in_repo="data/train-00000-of-00001.parquet",
    repo_id="org/table",
    repo_type="dataset",
)

from hubtweets.errors import HubtweetsError
from hubtweets.posts.post import Columns
from hubtweets.posts.tables import dataset
api.update_repo_settings("org/private", private=True, repo_type="dataset")
api.update_repo_settings("org/gated", gated="auto", repo_type="dataset")
Path("org/lines").mkdir(parents=True)
Path("org/lines/train.csv").write_text("text\\nnot from the Hub\\n")
for name in sys.argv[3:]:
    try:
        reading = dataset.fetch(name, Columns(), "alice")
        print(json.dumps([reading.dataset, *reading.posts]))
    except HubtweetsError as error:
        print(json.dumps(str(error)))
"""
FETCHED: dict[str, Any] = {
    "org/lines": ["org/lines", ["1", "a", None, None, "post", "public", *[False] * 5, None]],
    "org/private": [None, ["1", "a", None, None, "post", "public", *[False] * 5, None]],
    "org/gated": [None, ["1", "a", None, None, "post", "public", *[False] * 5, None]],
    "org/table": [
        "org/table",
        ["7", "hello to the world", DAY, "de", "post", "public", *[False] * 5, None],
        ["8", "no", DAY, None, "repost", "public", *[False] * 5, None],
    ],
    "org/many": ["org/many", ["1", "one", None, None, "post", "public", *[False] * 5, None]],
    "org/others": "dataset:org/others: posts of 2 authors (bob 2, carol 1), none of them alice; "
    "type bob in place of alice to read only theirs",
    "org/nothing": "dataset:org/nothing: can't be read (Dataset 'org/nothing' doesn't exist on "
    "the Hub or cannot be accessed.); "
    "check the name, accept its terms on its page, or type: hf auth login",
    "org/test": "dataset:org/test: can't be read (Bad split: train. Available splits: ['test']); "
    "download it again, or give its posts as a .csv or .jsonl file",
    "org/numbers": "dataset:org/numbers: can't tell which column holds the texts (there are: n); "
    "name one of them with --text-column",
    "org/corrupt": "dataset:org/corrupt: can't be read (JSON parse error: Invalid value. in row 1)"
    "; download it again, or give its posts as a .csv or .jsonl file",
    "../lines": "dataset:../lines: not the id of a dataset; write dataset:NAMESPACE/NAME",
    "lines": "dataset:lines: not the id of a dataset; write dataset:NAMESPACE/NAME",
}


def test_a_dataset_of_the_hub(hub: tuple[str, str], tmp_path: Path) -> None:
    pushed = [
        *(
            (name, "train.jsonl", '{"text": "a"}\n')
            for name in ("org/lines", "org/private", "org/gated")
        ),
        ("org/table", "README.md", "---\nlicense: mit\n---\na table"),
        ("org/many", "train.csv", "text,user\none,Alice\ntwo,bob\n"),
        ("org/others", "train.csv", "text,user\none,carol\ntwo,bob\nthree,bob\n"),
        ("org/test", "test.jsonl", '{"text": "a"}\n'),
        ("org/numbers", "train.jsonl", '{"n": 1}\n'),
        ("org/corrupt", "train.jsonl", '{"text": "a"}\n{"text":'),
    ]
    when = pyarrow.array([datetime(2026, 1, 2, tzinfo=UTC)] * 2)
    rows = table(
        id=[7, 8],
        Content=["hello to the world", "no"],
        createdAt=when,
        lang=["de", None],
        retweet=[False, True],
    )
    path = write(tmp_path / "table.parquet", rows)
    more = {"HF_ENDPOINT": hub[0], "HF_TOKEN": hub[1], "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", DATASETS, json.dumps(pushed), str(path), *FETCHED],
        env=environment(tmp_path, **more),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert dict(zip(FETCHED, map(json.loads, done.stdout.splitlines()), strict=True)) == FETCHED


def test_a_table_of_tweets_is_unescaped_and_has_replies(tmp_path: Path) -> None:
    write(
        tmp_path / "a.csv", "id_str,text,in_reply_to_user_id\n1,@bob a &amp; b,7\n2,plain &lt;,\n"
    )
    assert list(files.read(Container(tmp_path / "a.csv"), Columns(), "alice").posts) == [
        Post("1", "@bob a & b", kind="reply"),
        Post("2", "plain <"),
    ]
    write(tmp_path / "b.csv", "id,text,in_reply_to\n1,a &amp; b,x\n2,of my own,\n")
    assert list(files.read(Container(tmp_path / "b.csv"), Columns(), "alice").posts) == [
        Post("1", "a &amp; b", kind="reply"),
        Post("2", "of my own"),
    ]


def test_dates_that_are_not_understood_are_warned_of(tmp_path: Path) -> None:
    write(
        tmp_path / "a.csv", "text,date\none,01/02/2015\ntwo,\nthree,2015-01-31\nfour,02/02/2015\n"
    )
    reading = files.read(Container(tmp_path / "a.csv"), Columns(), "alice")
    assert [post.created_at for post in reading.posts] == [
        None,
        None,
        "2015-01-31T00:00:00+00:00",
        None,
    ]
    assert reading.warnings == [
        f"{tmp_path}/a.csv: 2 dates are not understood, such as '01/02/2015'; write them as "
        f"2015-01-31 or 31.01.2015"
    ]


def test_cut_texts_are_warned_of(tmp_path: Path) -> None:
    texts = {
        "1": "a" * 139 + "…",
        "2": "b" * 116 + "… https://t.co/abcdefghij",
        "3": "c &amp; d" + "e" * 270 + "…",
        "4": "RT @bob: " + "f" * 130 + "…",  # a repost is not learned from
        "5": "What now…",
        "6": "g" * 200 + "…",
        "7": "h" * 140,
    }
    rows = [json.dumps({"id_str": id, "text": text}) for id, text in texts.items()]
    write(tmp_path / "a.jsonl", "\n".join(rows))
    reading = files.read(Container(tmp_path / "a.jsonl"), Columns(), "alice")
    assert [post.id for post in reading.posts] == list(texts)
    assert reading.warnings == [
        f"{tmp_path}/a.jsonl: 3 of its posts are cut (as long as X allows, with … at the end); "
        "the model learns to break off, too; give them whole, such as with X's own archive"
    ]
