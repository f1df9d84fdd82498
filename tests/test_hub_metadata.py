"""How the embedded Hub validates and reports a card's front matter, seen by the client."""

import asyncio
from itertools import repeat
from pathlib import Path
from typing import Any

import httpx2
import pytest
from huggingface_hub import ModelCard

from hubtweets.card.card_parser import MAX_FRONT_MATTER_BYTES, parse_front_matter
from hubtweets.card.hub_schema import MAX_FAULTS, find_faults
from hubtweets.hub.api import validation
from hubtweets.hub.storage.blobs import Blobs
from hubtweets.hub.storage.storage import Storage
from tests.test_hub_xet import limit_memory

LICENSES = "must be one of https://huggingface.co/docs/hub/repositories-licenses, or other, not"
LANGUAGES = "it must be an ISO 639 code of 2 or 3 lowercase letters, code or multilingual"
RESULT = {
    "task": {"type": "text-generation"},
    "dataset": {"type": "posts", "name": "held out"},
    "metrics": [{"type": "bits_per_byte", "value": 1.5}],
}
CARDS: list[tuple[dict, list[str]]] = [
    ({}, []),
    (
        {
            "license": "mit",
            "language": "en",
            "tags": ["a"],
            "base_model": "gpt2",
            "thumbnail": "https://x/y.png",
            "anything": {"else": 1},
        },
        [],
    ),
    (
        {
            "license": ["mit", "other"],
            "language": ["en", "haw", "code"],
            "base_model": ["a/b"],
            "base_model_relation": "adapter",
        },
        [],
    ),
    (
        {
            "license": None,
            "language": None,
            "widget": [{"text": "My dream is", "output": {"text": "x"}}],
        },
        [],
    ),
    ({"model-index": [{"name": "bot", "results": [RESULT]}]}, []),
    ({"license": "licence"}, [f"\"license\" {LICENSES} 'licence'"]),
    ({"license": ["mit", "x"]}, [f"\"license[1]\" {LICENSES} 'x'"]),
    ({"license": 5}, ['"license" Input should be a valid string']),
    ({"language": "English"}, [f"\"language\" with value 'English' is not valid; {LANGUAGES}"]),
    (
        {"language": ["en", "zh-CN"]},
        [f"\"language[1]\" with value 'zh-CN' is not valid; {LANGUAGES}"],
    ),
    ({"language": False}, ['"language" is false in YAML; put quotes around "no"']),
    ({"tags": "a"}, ['"tags" Input should be a valid list']),
    ({"tags": ["a", 1]}, ['"tags[1]" Input should be a valid string']),
    (
        {"base_model": "a b"},
        ["\"base_model\" with value 'a b' is not valid; it must be a repo id"],
    ),
    (
        {"datasets": ["a/b/c"]},
        ["\"datasets[0]\" with value 'a/b/c' is not valid; it must be a repo id"],
    ),
    (
        {"base_model_relation": "x"},
        ["\"base_model_relation\" Input should be 'finetune', 'adapter', 'merge' or 'quantized'"],
    ),
    ({"pipeline_tag": ["a"]}, ['"pipeline_tag" Input should be a valid string']),
    ({"thumbnail": 5}, ['"thumbnail" Input should be a valid string']),
    ({"widget": [{"text": 5}]}, ['"widget[0].text" Input should be a valid string']),
    ({"model-index": {}}, ['"model-index" Input should be a valid list']),
    ({"model-index": [{"results": []}]}, ['"model-index[0].name" Field required']),
    (
        {"model-index": [{"name": "bot", "results": [{**RESULT, "task": {}}]}]},
        ['"model-index[0].results[0].task.type" Field required'],
    ),
    (
        {"model-index": [{"name": "bot", "results": [{**RESULT, "dataset": {"type": "x"}}]}]},
        ['"model-index[0].results[0].dataset.name" Field required'],
    ),
    (
        {"model-index": [{"name": "bot", "results": [{**RESULT, "metrics": [{"type": "x"}]}]}]},
        ['"model-index[0].results[0].metrics[0].value" Field required'],
    ),
]


@pytest.mark.parametrize(("metadata", "expected"), CARDS)
def test_what_a_model_card_may_say(metadata: dict, expected: list[str]) -> None:
    assert find_faults(metadata, "model") == expected


def test_cards_of_other_kinds() -> None:
    assert find_faults({"widget": 5}, "dataset") == []
    assert find_faults({"license": "x"}, "dataset") == [f"\"license\" {LICENSES} 'x'"]
    assert find_faults({"license": "mit"}, "space") == ['"sdk" Field required']
    assert find_faults({"sdk": "gradio"}, "space") == []


ANSWERS = [
    ("---\nlicense: mit\n---\n", 200, [], []),
    ("no front matter", 200, [], ["empty or missing yaml metadata in repo card"]),
    (
        "---\nlicense: x\ntags: 5\n---\n",
        400,
        [
            f"\"license\" {LICENSES} 'x'",
            '"tags" Input should be a valid list',
        ],
        [],
    ),
]


@pytest.mark.parametrize(("content", "status", "errors", "warnings"), ANSWERS)
def test_the_answer(
    hub: tuple[str, str], content: str, status: int, errors: list[str], warnings: list[str]
) -> None:
    answer = httpx2.post(
        f"{hub[0]}/api/validate-yaml", json={"content": content, "repoType": "model"}
    )
    messages = {
        key: [item["message"] for item in answer.json()[key]] for key in ("errors", "warnings")
    }
    assert (answer.status_code, messages) == (status, {"errors": errors, "warnings": warnings})


def test_a_client_that_reads_text_gets_text(
    hub: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub[0])
    monkeypatch.setattr("huggingface_hub.repocard.constants.ENDPOINT", hub[0])
    ModelCard("---\nlicense: mit\n---\n").validate()
    with pytest.raises(ValueError, match=r'^- Error: "license" must be one of'):
        ModelCard("---\nlicense: x\n---\n").validate()


@pytest.mark.parametrize(
    ("yaml", "value"),
    [
        ("a: |\n  x", "x\n"),
        ("a: |-\n  x", "x"),
        ("a: |+\n  x\n\n", "x\n\n\n"),
        ("a: >\n  x", "x\n"),
        ("a: x", "x"),
    ],
)
def test_the_last_text_of_the_front_matter_has_its_line_end(yaml: str, value: str) -> None:
    assert parse_front_matter(f"---\n{yaml}\n---\ntext") == {"a": value}


ROOM = MAX_FRONT_MATTER_BYTES - 100
LARGE = {  # what takes longest of all that fits, and how many errors it is told of
    "keys": ("\n".join(f"{number}:" for number in range(9000)), 0),
    "flow": ("a: [" + "1," * (ROOM // 2) + "]", 0),
    "the same key": ("a:\n" * (ROOM // 3), 0),
    "empty keys": ("a: {" + "? ," * (ROOM // 3) + "}", 0),
    "licenses": ("license: [" + "a," * (ROOM // 2) + "]", MAX_FAULTS),
    "languages": ("language: [" + "A," * (ROOM // 2) + "]", MAX_FAULTS),
    "tags": ("tags: [" + "1," * (ROOM // 2) + "]", MAX_FAULTS),
    "results": ("model-index: [" + "{}," * (ROOM // 3) + "]", MAX_FAULTS),
    "over 64 KiB": ("\n".join(f"a{number}: 1:1:1" for number in range(40_000)), 1),
}


@pytest.mark.parametrize("name", LARGE)
def test_large_front_matter_is_read_off_the_event_loop(
    hub: tuple[str, str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    read, on_loop = parse_front_matter, []

    def watch(card: str) -> dict[str, Any]:
        try:
            on_loop.append(asyncio.get_running_loop())
        except RuntimeError:
            return read(card)
        return {}

    monkeypatch.setattr(validation, "parse_front_matter", watch)
    matter, count = LARGE[name]
    answer = httpx2.post(
        f"{hub[0]}/api/validate-yaml",
        json={"content": f"---\n{matter}\n---\n", "repoType": "model"},
        timeout=30,
    )
    assert on_loop == []
    assert (answer.status_code, len(answer.json()["errors"]), len(answer.content) < 2**16) == (
        400 if count else 200,
        count,
        True,
    )


@pytest.mark.parametrize(
    ("start", "metadata"),
    [
        ("---\nlicense: mit\n---\n", {"license": "mit"}),
        ("\ufeff---\r\nlicense: mit\r\n---\r\n", {"license": "mit"}),
        ("---\nlicense: mit\n#" + "x" * (ROOM + 80) + "\n---\n", {"license": "mit"}),
        ("---\nlicense: mit\n#" + "x" * (ROOM + 100) + "\n---\n", {}),
        ("---\nlicense: mit\n", {}),
        ("---\nlicense: [\n---\n", {}),
        ("\n \n\n---\nlicense: mit\n---\n", {"license": "mit"}),
        ("\ufeff\r\n---\r\nlicense: mit\r\n---\r\n", {"license": "mit"}),
        ("\n" * ROOM + "---\nlicense: mit\n---\n", {"license": "mit"}),
        ("\n" * 2**17 + "---\nlicense: mit\n---\n", {}),
        ("text\n---\nlicense: mit\n---\n", {}),
        ("no front matter", {}),
    ],
)
def test_of_a_large_readme_only_the_start_is_read_and_once(
    hub: tuple[str, str], tmp_path: Path, start: str, metadata: dict
) -> None:
    storage = Storage(tmp_path / "hub")
    repo = storage.create_repo("models", "huggingtweets/bot", False, "x")
    sha256, _ = storage.blobs.add([start.encode(), *repeat(bytes(2**20), 64)])
    storage.create_commit(
        repo,
        "main",
        lambda files: {**files, "README.md": storage.blobs.get_large(sha256)},
        "large",
        "",
        "x",
    )
    with limit_memory(2**23):
        found = httpx2.get(f"{hub[0]}/api/models").json()
        page = httpx2.get(f"{hub[0]}/huggingtweets/bot")
    assert [one["cardData"] for one in found] == [metadata] and (
        page.status_code,
        len(page.content) < 2**21,
    ) == (200, True)
    Blobs(tmp_path / "hub").path(sha256).unlink()
    assert [one["cardData"] for one in httpx2.get(f"{hub[0]}/api/models").json()] == [metadata]
