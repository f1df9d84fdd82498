"""Long work tells a hook how far it is."""

from collections.abc import Iterator

import pytest

from hubtweets.progress import Bars, report_progress, set_progress_hook, track


@pytest.fixture
def calls() -> Iterator[list[tuple[str, int, int | None, str]]]:
    calls: list[tuple[str, int, int | None, str]] = []
    set_progress_hook(lambda *call: calls.append(call))
    yield calls
    set_progress_hook(None)


@pytest.mark.parametrize(
    ("items", "total", "expected"),
    [
        ("ab", None, [("post", 1, None, ""), ("post", 2, None, ""), ("post", 2, 2, "")]),
        ("ab", 2, [("post", 1, 2, ""), ("post", 2, 2, "")]),
        ("", None, [("post", 0, 0, "")]),
    ],
)
def test_a_hook_is_told_each_item_and_the_end(
    calls: list[tuple[str, int, int | None, str]],
    items: str,
    total: int | None,
    expected: list[tuple[str, int, int | None, str]],
) -> None:
    assert "".join(track(items, "post", total)) == items
    assert calls == expected


def test_no_hook_is_no_work() -> None:
    report_progress("post", 1)
    assert list(track([1, 2], "post")) == [1, 2]


def test_a_bar_is_gone_when_its_work_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    bars = Bars()
    for call in (("post", 1, None, ""), ("post", 2, 2, "")):
        bars(*call)
    assert bars.bar is None
    bars("step", 1, 3, "loss 2.0")
    bars("text", 1, 3, "")
    assert bars.bar is not None and bars.bar.unit == " text"
    bars.close()
    assert "step/s" in capsys.readouterr().err
