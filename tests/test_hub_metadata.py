"""What the embedded Hub says of a card's front matter, as the client hears it."""

import httpx2
import pytest
from huggingface_hub import ModelCard

from hubtweets.hub.cards import front_matter
from hubtweets.hub.metadata import faults

LICENSES = "take one of https://huggingface.co/docs/hub/repositories-licenses, or other"
LANGUAGES = "it must be an ISO 639 code of 2 or 3 lowercase letters, code or multilingual"
RESULT = {"task": {"type": "text-generation"}, "dataset": {"type": "posts", "name": "held out"}, "metrics": [{"type": "bits_per_byte", "value": 1.5}]}
CARDS: list[tuple[dict, list[str]]] = [
    ({}, []),
    ({"license": "mit", "language": "en", "tags": ["a"], "base_model": "gpt2", "thumbnail": "https://x/y.png", "anything": {"else": 1}}, []),
    ({"license": ["mit", "other"], "language": ["en", "haw", "code"], "base_model": ["a/b"], "base_model_relation": "adapter"}, []),
    ({"license": None, "language": None, "widget": [{"text": "My dream is", "output": {"text": "x"}}]}, []),
    ({"model-index": [{"name": "bot", "results": [RESULT]}]}, []),
    ({"license": "licence"}, [f"\"license[0]\" with value 'licence' is not valid; {LICENSES}"]),
    ({"license": ["mit", "x"]}, [f"\"license[1]\" with value 'x' is not valid; {LICENSES}"]),
    ({"license": 5}, ['"license[0]" Input should be a valid string']),
    ({"language": "English"}, [f"\"language[0]\" with value 'English' is not valid; {LANGUAGES}"]),
    ({"language": ["en", "zh-CN"]}, [f"\"language[1]\" with value 'zh-CN' is not valid; {LANGUAGES}"]),
    ({"language": False}, ['"language[0]" is false in YAML; put quotes around "no"']),
    ({"tags": "a"}, ['"tags" Input should be a valid list']),
    ({"tags": ["a", 1]}, ['"tags[1]" Input should be a valid string']),
    ({"base_model": "a b"}, ["\"base_model[0]\" with value 'a b' is not valid; it must be the id of a repository"]),
    ({"datasets": ["a/b/c"]}, ["\"datasets[0]\" with value 'a/b/c' is not valid; it must be the id of a repository"]),
    ({"base_model_relation": "x"}, ["\"base_model_relation\" Input should be 'finetune', 'adapter', 'merge' or 'quantized'"]),
    ({"pipeline_tag": ["a"]}, ['"pipeline_tag" Input should be a valid string']),
    ({"thumbnail": 5}, ['"thumbnail" Input should be a valid string']),
    ({"widget": [{"text": 5}]}, ['"widget[0].text" Input should be a valid string']),
    ({"model-index": {}}, ['"model-index" Input should be a valid list']),
    ({"model-index": [{"results": []}]}, ['"model-index[0].name" Field required']),
    ({"model-index": [{"name": "bot", "results": [{**RESULT, "task": {}}]}]}, ['"model-index[0].results[0].task.type" Field required']),
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
    assert faults(metadata, "model") == expected


def test_cards_of_other_kinds() -> None:
    assert faults({"widget": 5}, "dataset") == []
    assert faults({"license": "x"}, "dataset") == [f"\"license[0]\" with value 'x' is not valid; {LICENSES}"]
    assert faults({"license": "mit"}, "space") == ['"sdk" Field required']
    assert faults({"sdk": "gradio"}, "space") == []


ANSWERS = [
    ("---\nlicense: mit\n---\n", 200, [], []),
    ("no front matter", 200, [], ["empty or missing yaml metadata in repo card"]),
    ("---\nlicense: x\ntags: 5\n---\n", 400, [f"\"license[0]\" with value 'x' is not valid; {LICENSES}", '"tags" Input should be a valid list'], []),
]


@pytest.mark.parametrize(("content", "status", "errors", "warnings"), ANSWERS)
def test_the_answer(hub: tuple[str, str], content: str, status: int, errors: list[str], warnings: list[str]) -> None:
    answer = httpx2.post(f"{hub[0]}/api/validate-yaml", json={"content": content, "repoType": "model"})
    messages = {key: [item["message"] for item in answer.json()[key]] for key in ("errors", "warnings")}
    assert (answer.status_code, messages) == (status, {"errors": errors, "warnings": warnings})


def test_a_client_that_reads_text_gets_text(hub: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub[0])
    monkeypatch.setattr("huggingface_hub.repocard.constants.ENDPOINT", hub[0])
    ModelCard("---\nlicense: mit\n---\n").validate()
    with pytest.raises(ValueError, match=r'^- "license\[0\]" with value'):
        ModelCard("---\nlicense: x\n---\n").validate()


@pytest.mark.parametrize(
    ("yaml", "value"), [("a: |\n  x", "x\n"), ("a: |-\n  x", "x"), ("a: |+\n  x\n\n", "x\n\n\n"), ("a: >\n  x", "x\n"), ("a: x", "x")]
)
def test_the_last_text_of_the_front_matter_has_its_line_end(yaml: str, value: str) -> None:
    assert front_matter(f"---\n{yaml}\n---\ntext") == {"a": value}
