"""Nothing of this machine or its user is in what is pushed.

Tested are what the scan before a push finds, and a whole publish with marks planted everywhere.
"""

import base64
import json
import random
import re
import shutil
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from hubtweets.errors import HubtweetsError
from hubtweets.posts.example import sentences
from hubtweets.publishing import secret_scan
from hubtweets.publishing.connection import Hub
from hubtweets.publishing.push import PushOptions
from hubtweets.record.run_folder import open_run_folder
from hubtweets.stages.push import push
from tests.conftest import run
from tests.forms import generate
from tests.test_posts_x_archive import archive_files, javascript, tweet, write_zip

TOKEN = "hf_" + "PLANTED" * 5
KEY, HOME = "planted-key-0123456789", "/home/planted-jane"


def generate_numbers() -> dict[str, object]:
    """Return what stands in records and in configs of models, and looks like something else."""
    return {
        "sha256": generate("{x64}"),
        "key": generate("{x64}"),
        "commit": generate("{x40}"),
        "etag": generate("{x32}"),
        "id": generate("{x8}-{x4}-4{x3}-a{x3}-{x12}"),
        "version": "5.23.0.1",
        "endpoint": "http://127.0.0.1:8086",
        "losses": [52.5234, 13.40567, 0.123456789],
        "post": 1353378455178633217,
        "eos_token": "<|endoftext|>",
        "pad_token": "<|reserved_special_token_0|>",
        "token_ids": [4111111111111111, 5500000000000004],
        "tokenizer_class": "PreTrainedTokenizerFastForGeneration2",
        "date": "2026-07-25T08:26:58+00:00",
    }


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch) -> secret_scan.SensitiveValues:
    for name, value in {
        "HOME": HOME,
        "LOGNAME": "jane",
        "WANDB_API_KEY": KEY,
        "PIN_TOKEN": "short",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(socket, "gethostname", lambda: "planted-host7")
    return secret_scan.find_sensitive_values(TOKEN)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (
            "README.md",
            "a\nb " + TOKEN,
            [
                "README.md, line 2: contains your token",
                "README.md, line 2: contains what looks like a token or a key",
            ],
        ),
        ("a.bin", f"\0{TOKEN}\0", ["a.bin: contains your token"]),
        ("a.bin", "\0hf_" + "other" * 8, []),  # what only looks like one may be chance there
        (
            "a.json",
            "hf_" + "other" * 8,
            ["a.json, line 1: contains what looks like a token or a key"],
        ),
        (
            "a.json",
            "AKIA" + "Q" * 16,
            ["a.json, line 1: contains what looks like a token or a key"],
        ),
        (
            "a.json",
            json.dumps({"text": "look\n" + generate("gsk_{a52}")}),
            ["a.json, line 1: contains what looks like a token or a key"],
        ),
        (
            "a.json",
            json.dumps({"text": "é" + generate("hf_{a34}")}),
            ["a.json, line 1: contains what looks like a token or a key"],
        ),
        (
            "a.md",
            generate("aws_secret_access_key = {b40}"),
            ["a.md, line 1: contains what looks like a token or a key"],
        ),
        ("a.md", "alice (at) example (dot) org", ["a.md, line 1: contains an e-mail address"]),
        ("a.json", json.dumps(generate_numbers()), []),
        ("a.md", "![](foo@2x.png) git@github.com:a/b.git sk-learn-is-the-best-library", []),
        ("a.json", KEY, ["a.json, line 1: contains the value of WANDB_API_KEY"]),
        ("a.json", "short", []),
        (
            "a.json",
            '{"x":\n"/home/planted-jane/models"}',
            ["a.json, line 2: contains the path of your home folder"],
        ),
        (
            "a.json",
            json.dumps({"x": json.dumps({"y": HOME})}),
            ["a.json, line 1: contains the path of your home folder"],
        ),
        (
            "a.txt",
            f"https://a.example/?at={quote(HOME, safe='')}",
            ["a.txt, line 1: contains the path of your home folder"],
        ),
        (
            "a.txt",
            "file:///home/planted-jane",
            ["a.txt, line 1: contains the path of your home folder"],
        ),
        ("a.txt", "/home/planted-janet and /mnt/home/planted-jane", []),
        ("events", "x/home/planted-jane/y", []),
        ("events", "\0/home/planted-jane/y", ["events: contains the path of your home folder"]),
        ("a.txt", "on planted-host7.local", ["a.txt, line 1: contains this machine's name"]),
        (
            "a.txt",
            "jane@planted-host7",
            [
                "a.txt, line 1: contains this machine's name",
                "a.txt, line 1: contains your name on this machine",
            ],
        ),
        ("a.txt", "unplanted-host77", []),
        ("a.md", "écrivez à me@private.example !", ["a.md, line 1: contains an e-mail address"]),
        ("a.md", "@alice@mastodon.example, https://mastodon.example/@alice", []),
        ("tokenizer.json", '"Ġ@mail.org", "' + "A" * 64 + '"', []),
        ("tokenizer.json", HOME, ["tokenizer.json, line 1: contains the path of your home folder"]),
    ],
)
def test_what_a_file_gives_away(
    marks: secret_scan.SensitiveValues, name: str, content: str, expected: list[str]
) -> None:
    assert list(secret_scan.scan_file(name, content.encode(), marks)) == expected
    assert not any(
        secret in line for line in expected for secret in (TOKEN, KEY, HOME, "planted-host7")
    )


@pytest.mark.parametrize(
    ("home", "host", "content", "expected"),
    [
        ("/root", "laptop", "/root/.cache on laptop", ["the path of your home folder"]),
        ("/root", "laptop", "/root and root@laptop", ["your name on this machine"]),
        ("/home/jané-doe", "laptop", '"/home/jan\\u00e9-doe"', ["the path of your home folder"]),
        ("/", "localhost.localdomain", "/ and /tmp on localhost.localdomain", []),
    ],
)
def test_what_may_stand_in_any_text_is_none(
    home: str, host: str, content: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", home)
    monkeypatch.setenv("LOGNAME", "root")
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    assert (
        list(secret_scan.scan_text(content, secret_scan.find_sensitive_values("hf_x"))) == expected
    )


def test_weights_are_searched_in_their_header_alone(
    marks: secret_scan.SensitiveValues, tmp_path: Path
) -> None:
    for header, expected in (
        ({"path": HOME}, ["runs/x.safetensors: contains the path of your home folder"]),
        ({}, []),
    ):
        text = json.dumps({"__metadata__": header}).encode()
        (tmp_path / "runs").mkdir(exist_ok=True)
        (tmp_path / "runs" / "x.safetensors").write_bytes(
            len(text).to_bytes(8, "little") + text + HOME.encode()
        )
        (tmp_path / ".hidden").write_text(HOME)
        assert list(secret_scan.scan_folder(tmp_path, marks)) == expected


def test_a_push_with_a_leak_sends_nothing(
    workplace: Path, hub: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import HfApi

    api = HfApi(endpoint=hub[0], token=hub[1])
    with open_run_folder(workplace / "runs", "lyons____") as opened:
        for name, content in (("notes.txt", f"x\n{hub[1]}"), ("b.bin", str(Path.home() / "x"))):
            (opened.repo / name).write_text(content)
        with pytest.raises(HubtweetsError) as caught:
            push(opened, Hub(api, hub[0]), PushOptions())
    assert str(caught.value).splitlines() == [
        "3 problems found:",
        (
            "- b.bin: contains the path of your home folder; "
            "take it out of where it came from, and type: hubtweets publish lyons____"
        ),
        (
            "- notes.txt, line 2: contains your token; "
            "take it out of where it came from, and type: hubtweets publish lyons____"
        ),
        (
            "- notes.txt, line 2: contains what looks like a token or a key; "
            "take it out of where it came from, and type: hubtweets publish lyons____"
        ),
    ]
    assert list(api.list_models()) == []


def forms(mark: str) -> set[bytes]:
    """Return how a text may be written.

    It may be written as it is, for an address, in JSON, and in base64 wherever it begins in three
    bytes.
    """
    raw = mark.encode()
    encoded = {base64.b64encode(b"\0" * at + raw)[at and 4 : -4] for at in range(3)}
    return {
        raw,
        raw.lower(),
        raw.upper(),
        quote(mark, safe="").encode(),
        json.dumps(mark)[1:-1].encode(),
        mark.encode("utf-16-le"),
        *encoded,
    }


def layers(content: bytes) -> Iterator[bytes]:
    """Yield a content, and what is compressed in it: a blob of git or Xet, the chunks of a PNG."""
    yield content
    for match in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", content):
        try:
            yield zlib.decompressobj().decompress(content[match.start() :])
        except zlib.error:
            continue


def seen(folders: list[Path], marks: list[str]) -> list[str]:
    """Return where a mark is found, in any file of the folders or in a file's name."""
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    wanted = {mark: forms(mark) for mark in marks}
    found = []
    for path in files:
        for layer in (path.name.encode(), *layers(path.read_bytes())):
            found += [
                f"{path.name}: {mark}"
                for mark, written in wanted.items()
                if any(form in layer for form in written)
            ]
    return found


def test_nothing_that_was_planted_is_pushed(base: Path, tmp_path: Path) -> None:
    """Marks are planted, and all that the Hub holds is searched for them.

    They are in the environment, in every path, in the base, in the profile and in the posts.
    """
    secret, email, host = "hf_" + "Marked" * 6, "marked.mail@private.example", socket.gethostname()
    home = tmp_path / "marked-home"
    other = home / "marked-folder" / "other-base"
    shutil.copytree(base, other)
    for name in ("config.json", "tokenizer_config.json", "generation_config.json"):
        values = json.loads((other / name).read_text())
        (other / name).write_text(
            json.dumps({**values, "_name_or_path": str(other), "name_or_path": str(other)})
        )
    (other / "README.md").write_text(f"---\nlicense: mit\nauthor: {email}\n---\n{secret} {other}\n")
    (home / ".gitconfig").write_text(f"[user]\n\tname = marked-name\n\temail = {email}\n")
    generator = random.Random(8)
    texts = [sentences.make_sentence(generator) for _ in range(120)]
    texts += [f"{text} {mark}" for text in texts[:9] for mark in (email, secret, "+1 415 555 2671")]
    files = archive_files([tweet(str(10**6 + number), text) for number, text in enumerate(texts)])
    files = {name: text.replace("secret@example.org", email) for name, text in files.items()}
    files["data/profile.js"] = javascript(
        "YTD.profile.part0",
        [{"profile": {"description": {"bio": f"{email} {secret} +1 415 555 2671"}}}],
    )
    files["data/account.js"] = files["data/account.js"].replace(
        "Alice \\ud83c\\udf19", f"Alice {email}"
    )
    for name in ("direct-messages", "ip-audit", "deleted-tweets"):
        files[f"data/{name}.js"] = javascript(
            f"YTD.{name.replace('-', '_')}.part0", [tweet("5", "marked-private indeed")]
        )
    write_zip(home / "alice.zip", files)
    more = {
        "HF_TOKEN": secret,
        "USER": "marked-user",
        "LOGNAME": "marked-user",
        "EMAIL": email,
        "HOSTNAME": "marked-host",
        "WANDB_API_KEY": KEY,
    }
    done = run(
        home,
        "publish",
        "alice",
        "--base",
        str(other),
        "--hub",
        "local",
        "--num-train-epochs",
        "0.1",
        "--namespace",
        "someone",
        **more,
    )
    assert done.returncode == 0, done.stderr
    assert (
        run(
            home,
            "push",
            "alice",
            "--hub",
            "local",
            "--namespace",
            "someone",
            "--commit-message",
            "Again",
            **more,
        ).returncode
        == 0
    )
    token = (home / "hub" / "token").read_text()
    marks = [
        secret,
        email,
        "+1 415 555 2671",
        "415 555 2671",
        str(tmp_path),
        "marked-",
        "marked.mail",
        KEY,
        token,
        f"marked-user@{host}",
    ]
    marks += (
        [host] if len(host) >= secret_scan.MIN_HOST_CHARS else []
    )  # a shorter one stands in much
    pushed = [home / "hub", home / "runs" / "alice" / "repo"]
    assert [
        line for line in seen(pushed, marks) if line != f"token: {token}"
    ] == []  # the Hub's own, which only its user can read
    assert not [
        path for folder in pushed for path in folder.rglob("*") if path.name.endswith(f".{host}")
    ]
    assert "marked" not in done.stdout + done.stderr.replace(str(other), "")
    for number, (mark, written) in enumerate(
        (one, form) for one in marks for form in sorted(forms(one))
    ):
        planted = tmp_path / "planted" / str(number)
        planted.mkdir(parents=True)
        (planted / "x").write_bytes(
            b"\x89PNG " + zlib.compress(b"." * number + written)
            if number % 2
            else b"." * number + written
        )
        assert f"x: {mark}" in seen([planted], [mark])
