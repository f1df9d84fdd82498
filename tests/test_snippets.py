"""The Python snippets of a card in their own process.

Loading a model there is tested with publishing and verification.
"""

import json
import logging
import os
from pathlib import Path

import pytest

from hubtweets.card import snippets
from hubtweets.errors import HubtweetsError
from hubtweets.record.run_folder import open_run_folder
from hubtweets.stages.render import check_snippets

CARD = """
```python
print("one")
```

```sh
rm -rf /
```

> ```python
> print("two")
> ```

    ```python
    not a fence
    ```
"""


def test_blocks_are_the_python_of_a_card() -> None:
    assert snippets.find_snippets(CARD) == ['print("one")\n', 'print("two")\n']


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["print(1)", "x = 2\nprint(x)"], ["1\n", "2\n"]),
        ([], []),
        (
            ["x = 1\nprint(x)", "print(x)"],
            "snippet 2 of 2 on the card fails: NameError: name 'x' is not defined",
        ),
        (["print(1)", "1 + 1"], "snippet 2 of 2 on the card fails: it prints nothing"),
        (["print(1"], r"snippet 1 of 1 on the card fails: SyntaxError: '(' was never closed"),
        (["print(1)\nraise SystemExit(3)"], "snippet 1 of 1 on the card fails: SystemExit: 3"),
        (["raise ValueError('a\\nb')"], "snippet 1 of 1 on the card fails: b"),
        (
            ["print(1)", "import os\nos.write(2, b'it is dead')\nos._exit(7)"],
            "snippet 2 of 2 on the card fails: it is dead",
        ),
        (["import os\nprint(1)\nos.system('echo noise')"], ["1\n"]),
        (["print(open('owner/bot/config.json').read())"], ["{}\n"]),
    ],
)
def test_snippets_run_apart_from_each_other(
    tmp_path: Path, texts: list[str], expected: list[str] | str
) -> None:
    (tmp_path / "config.json").write_text("{}")
    if isinstance(expected, list):
        assert snippets.run_snippets(texts, "owner/bot", tmp_path) == expected
    else:
        with pytest.raises(HubtweetsError) as raised:
            snippets.run_snippets(texts, "owner/bot", tmp_path)
        assert str(raised.value) == expected


def test_nothing_of_the_user_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "HF_ENDPOINT", "HUBTWEETS_BASE_MODEL", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "secret")
    asked = (
        "import json, os, sys\n"
        "print(json.dumps([dict(os.environ), os.getcwd(), os.listdir(), sys.path]))"
    )
    environment, folder, there, path = json.loads(
        snippets.run_snippets([asked], "owner/bot", tmp_path)[0]
    )
    assert "secret" not in environment.values() and environment["HF_HUB_OFFLINE"] == "1"
    assert (
        environment["HOME"] == folder
        and environment["HF_HOME"] == f"{folder}/.hf"
        and there == ["owner"]
    )
    assert folder not in path and "" not in path
    assert not os.path.exists(folder)


def test_a_card_is_checked_once_and_a_failing_one_stays_unpushed(
    workplace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="hubtweets")
    with open_run_folder(workplace / "runs", "lyons____") as run:
        readme = run.repo / "README.md"
        readme.write_text("```python\nprint(1)\n```\n")
        check_snippets(run)
        check_snippets(run)
        assert caplog.messages == [
            "snippets: running the Python of the card",
            "snippets: Python snippets that run: 1",
            "snippets: nothing changed, skipped",
        ]
        readme.write_text("```python\nprint(no)\n```\n")
        with pytest.raises(
            HubtweetsError,
            match=r"^snippet 1 of 1 on the card fails: NameError: name 'no' is not defined$",
        ):
            check_snippets(run)
        with pytest.raises(HubtweetsError, match=r"^snippet 1 of 1 "):  # it is not taken for done
            check_snippets(run)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("f('a', n=1)", "f('b c', n=2)", True),
        ("f('a')", "f('a'); g('b')", False),
        ("f('a')", "f('a' + g())", False),
        ("f('a')", "f(a)", False),
        ("f('a')", "f(1)", False),
    ],
)
def test_the_shape_of_a_snippet_is_all_but_its_values(one: str, other: str, same: bool) -> None:
    assert (snippets.strip_constants(one) == snippets.strip_constants(other)) is same
