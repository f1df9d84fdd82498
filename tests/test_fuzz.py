"""Every reader against damaged files: posts or one clear error, in bounded memory."""

import gzip
import io
import json
import os
import re
import struct
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from pyarrow import parquet

from hubtweets.errors import HubtweetsError
from hubtweets.posts import cache as saved
from hubtweets.posts import container, sources
from hubtweets.posts.bluesky import archive as bluesky
from hubtweets.posts.post import Columns, Post
from hubtweets.posts.tables import arrow
from hubtweets.posts.x import archive as x_archive
from tests import (
    test_posts,
    test_posts_bluesky,
    test_posts_bluesky_json,
    test_posts_exports,
    test_posts_files,
    test_posts_grailbird,
    test_posts_mastodon,
    test_posts_mastodon_json,
    test_posts_misskey,
    test_posts_x_archive,
    test_posts_x_json,
)

READERS: list[Any] = [
    SimpleNamespace(
        __name__="tests.test_posts_saved",
        samples=lambda folder: [write_saved(folder / "bob.saved.jsonl")],
    ),
    test_posts_x_archive,
    test_posts_grailbird,
    test_posts_x_json,
    test_posts_mastodon,
    test_posts_mastodon_json,
    test_posts_misskey,
    test_posts_bluesky,
    test_posts_bluesky_json,
    test_posts_exports,
    test_posts_files,
]
SPLINTERS = [
    *(
        b"",
        b"[",
        b"]",
        b"{",
        b"}",
        b'"',
        b",",
        b":",
        b"\\",
        b"\n",
        b"\0",
        b"\xff",
        b"\xed\xa0\xbd",
        b"<p",
        b"&#",
        b'"\\ud83d"',
    ),
    *(
        b"null",
        b"true",
        b"-1",
        b"1e999",
        b"NaN",
        b"9" * 400,
        b"9" * 5000,
        b'""',
        b"[]",
        b"{}",
        b"[[[[" * 500,
        b'{"a":' * 500,
        b"PK\x01\x02",
    ),
    *(b"../../etc/passwd", b"http://[", b"2026-02-31", b"9999999999999999"),
]
# position, number of bytes removed, bytes inserted; positions are shares of the whole, so that they
# fit files of any length
DAMAGES = st.lists(
    st.tuples(
        st.floats(0, 1), st.sampled_from([0, 0, 1, 1, 4, 40, 10**9]), st.sampled_from(SPLINTERS)
    ),
    min_size=1,
    max_size=4,
)

opened: list[str] | None = None


def write_saved(path: Path) -> Path:
    saved.write_reading(test_posts.READING, path)
    return path


def note_opened(event: str, arguments: tuple) -> None:
    if event == "open" and opened is not None and isinstance(arguments[0], str | bytes):
        opened.append(os.fsdecode(arguments[0]))


sys.addaudithook(note_opened)


@contextmanager
def watched(folder: Path) -> Iterator[None]:
    """Fail where a file outside the folder is opened, other than Python's own modules."""
    global opened
    opened = []
    try:
        yield
        own = (str(folder), sys.prefix, sys.base_prefix, str(Path(__file__).parent.parent))
        assert [path for path in opened if not os.path.abspath(path).startswith(own)] == []
    finally:
        opened = None


def corrupt(content: bytes, damages: list[tuple[float, int, bytes]]) -> bytes:
    for place, taken, put in damages:
        at = int(place * len(content))
        content = content[:at] + put + content[at + taken :]
    return content


def corrupt_copy(
    path: Path, target: Path, member: float, damages: list[tuple[float, int, bytes]]
) -> None:
    """Damage a file's bytes, or those of one member of a zip, tar or folder."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        for number, file in enumerate(files):
            (target / file.relative_to(path)).parent.mkdir(parents=True, exist_ok=True)
            content = file.read_bytes()
            (target / file.relative_to(path)).write_bytes(
                corrupt(content, damages) if number == int(member * len(files)) else content
            )
    elif path.suffix == ".zip" and member < 0.8:
        with zipfile.ZipFile(path) as whole, zipfile.ZipFile(target, "w") as copy:
            for number, name in enumerate(whole.namelist()):
                content = whole.read(name)
                copy.writestr(
                    name,
                    corrupt(content, damages)
                    if number == int(member / 0.8 * len(whole.namelist()))
                    else content,
                )
    elif path.name.endswith(".tar.gz") and member < 0.8:
        target.write_bytes(gzip.compress(corrupt(gzip.decompress(path.read_bytes()), damages), 1))
    else:
        target.write_bytes(corrupt(path.read_bytes(), damages))


@pytest.mark.parametrize(
    "reader", READERS, ids=lambda reader: reader.__name__.removeprefix("tests.test_posts_")
)
def test_corrupt_files_of_every_reader(
    reader: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make test CORRUPT=2000` tries as many files of each."""
    monkeypatch.setattr(
        x_archive, "map_in_processes", lambda work, tasks: (work(*task) for task in tasks)
    )  # thousands of processes would take hours
    (tmp_path / "whole").mkdir()
    samples: list[Path] = reader.samples(tmp_path / "whole")
    outcomes = {"posts": 0, "errors": 0}

    @seed(0)
    @settings(
        max_examples=int(os.environ.get("CORRUPT", "60")),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(samples), st.floats(0, 1, exclude_max=True), DAMAGES)
    def read_corrupt(path: Path, member: float, damages: list[tuple[float, int, bytes]]) -> None:
        target = tmp_path / "corrupt" / path.name
        remove(target)
        target.parent.mkdir(exist_ok=True)
        corrupt_copy(path, target, member, damages)
        try:
            posts = list(sources.read_source(target, "alice", Columns()).posts)
            said = None
        except HubtweetsError as error:
            posts, said = [], str(error)
        outcomes["errors" if said else "posts"] += 1
        assert said is None or (str(tmp_path) in said and len(said) < 1000 and said.isprintable())
        for post in posts:
            check(post)

    with watched(tmp_path):
        read_corrupt()
    assert min(outcomes.values()) > 2, outcomes


def remove(path: Path) -> None:
    if path.is_dir():
        for inside in sorted(path.rglob("*"), reverse=True):
            inside.rmdir() if inside.is_dir() else inside.unlink()
        path.rmdir()
    path.unlink(missing_ok=True)


def check(post: Post) -> None:
    """See that a post is what its type says, and can be written."""
    json.dumps(post).encode()
    post.text.encode()
    assert (
        isinstance(post.id, str)
        and isinstance(post.text, str)
        and isinstance(post.created_at, str | None)
        and isinstance(post.lang, str | None)
    )
    assert post.kind in ("post", "reply", "self_reply", "quote", "repost") and post.visibility in (
        "public",
        "unlisted",
        "private",
    )
    assert {type(post.superseded), type(post.link), type(post.warning)} == {bool}
    assert post.visibility != "private" or not post.text


MEBIBYTE = 2**20
SIZE = 60  # MiB that a bomb unpacks to
MOST = 50  # MiB: most takes the buffer for the directory of a zip, 32 MiB
LIMIT = 16  # MiB of the files that are read whole, instead of 64 and 256, as the bombs are small
MOST_OF_A_WHOLE_FILE = 2 * LIMIT + 10  # it is copied once while it grows
BEGINNINGS: dict[str, tuple[str, bytes, bytes]] = {
    "spaces": ("tweets.js", b"window.YTD.tweets.part0 = [", b" " * MEBIBYTE),
    "one text": (
        "tweets.js",
        b'window.YTD.tweets.part0 = [{"id_str": "1", "full_text": "',
        b"x" * MEBIBYTE,
    ),
    "no list": ("tweets.js", b"window.YTD.tweets.part0 = ", b"x" * MEBIBYTE),
    "manifest": ("manifest.js", b"window.x = {", b" " * MEBIBYTE),
    "grailbird": (
        "data/js/tweets/2013_02.js",
        b"Grailbird.data.tweets_2013_02 = [",
        b'"' + b"x" * (MEBIBYTE - 1),
    ),
    "grailbird table": (
        "tweets.csv",
        b'"tweet_id","in_reply_to_status_id","text"\n"1","","',
        b"x" * MEBIBYTE,
    ),
    "outbox": ("outbox.json", b'{"orderedItems": [', b" " * MEBIBYTE),
    "outbox without posts": ("outbox.json", b'{"totalItems": "', b"x" * MEBIBYTE),
    "actor": ("actor.json", b'{"name": "', b"x" * MEBIBYTE),
    "lines": ("a.jsonl", b'{"text": "', b"x" * MEBIBYTE),
    "blank lines": ("a.jsonl", b"", b" " * (MEBIBYTE - 1) + b"\n"),
    "array": ("a.json", b'["', b"x" * MEBIBYTE),
    "object": ("a.json", b'{"posts": "', b"x" * MEBIBYTE),
    "table": ("a.csv", b'text\n"', b"x" * MEBIBYTE),
    "text": ("a.txt", b"", b"x" * MEBIBYTE),
    "parquet": ("a.parquet", b"PAR1", b"x" * MEBIBYTE),
    "telegram": ("result.json", b'{"type": "public_channel", "messages": ["', b"x" * MEBIBYTE),
    "threads": ("threads_and_replies.json", b'{"text_post_app_text_posts": ["', b"x" * MEBIBYTE),
    "reddit": (
        "comments.csv",
        b'id,permalink,date,ip,subreddit,gildings,link,parent,body,media\n"',
        b"x" * MEBIBYTE,
    ),
    "lists in an item": ("tweets.js", b"window.YTD.tweets.part0 = [[", b"[]," * (MEBIBYTE // 3)),
    "lists in a manifest": ("manifest.js", b'window.x = {"a": [', b"[]," * (MEBIBYTE // 3)),
    "lists in a line": ("a.jsonl", b"[", b"[]," * (MEBIBYTE // 3)),
    "lists in a page": (
        "pages.jsonl",
        b'{"data": [{"id": "1", "text": "x"}], "meta": {}, "x": [',
        b"[]," * (MEBIBYTE // 3),
    ),
    "lists in threads": ("threads_and_replies.json", b"[", b"[]," * (MEBIBYTE // 3)),
    "lists in an object": ("a.json", b'{"posts": [', b"[]," * (MEBIBYTE // 3)),
    "car": ("repo.car", b"\x3a\xa2eroots\x81", b"x" * MEBIBYTE),
}


def bomb(path: Path, size: int, name: str, beginning: bytes, piece: bytes) -> None:
    beside = {"actor.json": "outbox.json", "manifest.js": "tweets.js"}.get(name)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        if beside:
            archive.writestr(beside, '{"orderedItems": []}' if beside.endswith("json") else "[]")
        with archive.open(name, "w", force_zip64=True) as file:
            file.write(beginning)
            for _ in range(size):
                file.write(piece)


def tar_bomb(path: Path) -> None:
    """Write an outbox of zeros behind a link that leads out of the archive."""
    with (
        gzip.open(path, "wb", compresslevel=1) as packed,
        tarfile.open(fileobj=packed, mode="w|") as archive,
    ):
        link = tarfile.TarInfo("actor.json")
        link.type, link.linkname = tarfile.SYMTYPE, "../../../../etc/passwd"
        archive.addfile(link)
        info = tarfile.TarInfo("../outbox.json")
        info.size = SIZE * MEBIBYTE
        archive.addfile(info, Zeros(info.size))


class Zeros(io.RawIOBase):
    """So many zeros, of which none is held."""

    def __init__(self, size: int) -> None:
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = min(len(buffer), self.left)
        buffer[:count] = bytes(count)
        self.left -= count
        return count


@pytest.mark.parametrize("kind", [*BEGINNINGS, "tar"])
def test_a_bomb_fills_no_memory(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bluesky, "MAX_CAR", LIMIT * MEBIBYTE)
    monkeypatch.setattr(arrow, "MAX_TABLE", LIMIT * MEBIBYTE)
    path = tmp_path / ("bomb.tar.gz" if kind == "tar" else "bomb.zip")
    tar_bomb(path) if kind == "tar" else bomb(path, SIZE, *BEGINNINGS[kind])
    most = MOST_OF_A_WHOLE_FILE if kind in ("car", "parquet") else MOST
    assert measure_reading(path, refused=kind != "blank lines") < most


def test_a_table_is_limited_as_the_readme_says(tmp_path: Path) -> None:
    """The limit of a file that is read whole, as it is, against the 250 MiB of the README."""
    bomb(tmp_path / "bomb.zip", 300, *BEGINNINGS["parquet"])
    assert measure_reading(tmp_path / "bomb.zip") < 250


def measure_reading(path: Path, refused: bool = True) -> float:
    """Read an archive that has no posts, and return the most memory that this took, in MiB."""
    refusal = pytest.raises(HubtweetsError, match=re.escape(str(path)))
    tracemalloc.start()
    try:
        with watched(path.parent), refusal if refused else nullcontext():
            assert list(sources.read_source(path, "alice", Columns()).posts) == []
        return tracemalloc.get_traced_memory()[1] / MEBIBYTE
    finally:
        tracemalloc.stop()


def zip_entries(count: int) -> bytes:
    """Return so many entries of a zip's directory, all of an empty file "a"."""
    return (
        struct.pack("<4s4B4H3L5H2L", b"PK\x01\x02", 20, 0, 20, 0, *[0] * 7, 1, *[0] * 6) + b"a"
    ) * count


def zip_end(size: int, count: int) -> bytes:
    """Return the end of a zip that claims to have so many entries."""
    return struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, size, 0, 0)


def zip64_end(size: int, count: int) -> bytes:
    end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, 0)
    return end + struct.pack("<4sLQL", b"PK\x06\x07", 0, size, 1) + zip_end(2**32 - 1, 2**16 - 1)


def tar_header(kind: bytes, size: int) -> bytes:
    info = tarfile.TarInfo("a")
    info.type, info.size = kind, size
    return info.tobuf(tarfile.USTAR_FORMAT)


def pax(kind: bytes, *records: tuple[str, str]) -> bytes:
    """Return a pax header with these records."""
    text = b""
    for name, value in records:
        length = len(f" {name}={value}\n") + 5
        text += f"{length:05} {name}={value}\n".encode()
    return tar_header(kind, len(text)) + text + bytes(-len(text) % 512)


FILE, NAMES = tar_header(b"0", 0), [(f"k{number}", "v") for number in range(2000)]
SPARSE = bytearray(tar_header(b"S", 0))
SPARSE[482] = 1  # more of the map follows
SPARSE[148:156] = b"%06o\0 " % (sum(SPARSE) - sum(SPARSE[148:156]) + 8 * ord(" "))
LISTS: dict[str, list[bytes]] = {  # a zip's bytes, or what a tar has compressed
    "a million entries": [zip_entries(1_000_000), zip_end(47_000_000, 1_000_000 % 2**16)],
    "a million entries in a zip64": [zip_entries(1_000_000), zip64_end(47_000_000, 1_000_000)],
    "entries that are not counted": [zip_entries(300_000), zip_end(14_100_000, 1)],
    "a long pax value": [
        tar_header(b"x", SIZE * MEBIBYTE),
        b"%d a=" % (SIZE * MEBIBYTE),
        *[b"x" * MEBIBYTE] * SIZE,
        FILE,
    ],
    "a long name": [tar_header(b"L", SIZE * MEBIBYTE), *[b"x" * MEBIBYTE] * SIZE, FILE],
    "headers of headers": [pax(b"x", ("a", "b"))] * 2000 + [FILE],
    "many global headers": [
        pax(b"g", *NAMES[:1000]),
        pax(b"g", *NAMES[1000:]),
        *[pax(b"x", *NAMES[:1000])] * 100,
        FILE,
    ],
    "a long sparse map": [
        bytes(SPARSE),
        *[(b"00000000001\0" * 42).ljust(504, b"\0") + b"\x01" + bytes(7)] * 200_000,
        FILE,
    ],
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_files_fills_no_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / ("bomb.zip" if LISTS[name][0].startswith(b"PK") else "bomb.tar.gz")
    with (
        path.open("wb") if path.suffix == ".zip" else gzip.open(path, "wb", compresslevel=1) as file
    ):
        file.writelines(LISTS[name])
    tracemalloc.start()
    try:
        with pytest.raises(HubtweetsError) as error:
            list(sources.read_source(path, "alice", Columns()).posts)
        assert (
            str(error.value)
            == f"{path}: lists more than 200,000 files, or 32 MiB of names and attributes; "
            f"unpack it and give the folder"
        )
        assert tracemalloc.get_traced_memory()[1] < 40 * MEBIBYTE
    finally:
        tracemalloc.stop()


def test_attributes_of_files_are_not_kept(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.tar.gz", "wb", compresslevel=1) as file:
        for number in range(200):
            file.write(
                pax(b"x", ("path", f"{number}.json"), ("uname", f"{number}" + "x" * 60_000)) + FILE
            )
    tracemalloc.start()
    try:
        assert len(container.Container(tmp_path / "a.tar.gz").names) == 200
        assert tracemalloc.get_traced_memory()[1] < 2 * MEBIBYTE
    finally:
        tracemalloc.stop()


def test_the_fuzz_hurts_what_it_should() -> None:
    content = bytes(range(200))
    assert corrupt(content, [(0.5, 1, b"x")]) == content[:100] + b"x" + content[101:]
    assert corrupt(content, [(0.5, 10**9, b"")]) == content[:100]


PARQUET = """
import resource, sys
from pathlib import Path
from hubtweets.errors import HubtweetsError
from hubtweets.posts import sources
from hubtweets.posts.post import Columns
import pyarrow.parquet
sources.choose_reader(Path(sys.argv[2]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    count = sum(1 for post in sources.read_source(Path(sys.argv[1]), "alice", Columns()).posts)
except HubtweetsError as error:
    count = error
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, count)
"""


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["x" * (130 * MEBIBYTE)], "row group 0 holds more than 128 MiB"),
        (["x" * MEBIBYTE] * 200, "200"),
    ],
    ids=["one cell", "one text many times"],
)
def test_a_small_parquet_file_fills_no_memory(
    tmp_path: Path, texts: list[str], expected: str
) -> None:
    """In a process of its own, for Arrow's memory is not Python's."""
    path = tmp_path / "a.parquet"
    parquet.write_table(pyarrow.table({"text": texts}), path, compression="zstd")
    (tmp_path / "b.txt").write_text("hello")
    done = subprocess.run(
        [sys.executable, "-c", PARQUET, str(path), str(tmp_path / "b.txt")],
        capture_output=True,
        text=True,
        check=True,
    )
    memory, _, said = done.stdout.partition(" ")
    assert path.stat().st_size < 100_000 and expected in said and int(memory) < 120, done.stdout
