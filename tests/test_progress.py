"""Long work tells a hook how far it is."""

import logging
import queue
import re
from collections.abc import Iterator

import pytest

from hubtweets.progress import ProgressLines, activity, report_progress, set_progress_hook, track
from hubtweets.training.progress import ProgressBar


@pytest.fixture
def calls() -> Iterator[list[tuple[str, int, int | None, str]]]:
    calls: list[tuple[str, int, int | None, str]] = []
    set_progress_hook(lambda *call: calls.append(call))
    yield calls
    set_progress_hook(None)


@pytest.mark.parametrize(
    ("items", "total", "expected"),
    [
        (
            "ab",
            None,
            [
                ("post", 0, None, ""),
                ("post", 1, None, ""),
                ("post", 2, None, ""),
                ("post", 2, 2, ""),
            ],
        ),
        ("ab", 2, [("post", 0, 2, ""), ("post", 1, 2, ""), ("post", 2, 2, "")]),
        ("", None, [("post", 0, None, ""), ("post", 0, 0, "")]),
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


def test_progress_lines_tell_each_tenth_of_work_that_has_parts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_progress_hook(ProgressLines(min_seconds=0))
    try:
        for _ in range(2):
            list(track(range(25), "samples", 25))
        list(track(range(20_001), "posts"))
        with activity("loading tiny"):
            report_progress("tokens\x1b[2J", 9, 10, "loss 2.0")
    finally:
        set_progress_hook(None)
    assert capsys.readouterr().err.splitlines() == [
        *[f"{done} of 25 samples" for done in (3, 5, 8, 10, 13, 15, 18, 20, 23, 25)] * 2,
        *["10,000 posts", "20,000 posts", "20,001 of 20,001 posts"],
        "9 of 10 tokens\ufffd[2J: loss 2.0",
    ]


def test_lines_tell_how_long_work_without_parts_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: queue.Queue[str] = queue.Queue()
    monkeypatch.setattr("hubtweets.progress.print_line", lines.put)
    hook = ProgressLines(wait_seconds=0.01)
    set_progress_hook(hook)
    try:
        with activity("uploading 7 files"):
            (end,) = hook.waits.values()
            assert [lines.get(), lines.get()] == ["uploading 7 files, for 0 s"] * 2
    finally:
        set_progress_hook(None)
    assert end.is_set() and hook.waits == {}


def test_an_activity_ends_though_it_fails(calls: list[tuple[str, int, int | None, str]]) -> None:
    with pytest.raises(ValueError, match="no"), activity("loading tiny"):
        raise ValueError("no")
    assert calls == [("loading tiny", 0, 1, ""), ("loading tiny", 1, 1, "")]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (60, ["2 of 10: loss 2.000", "4 of 10: loss 2.000"]),
        (0, ["1 of 10:", "2 of 10: loss 2.000", "3 of 10: loss 2.000", "4 of 10: loss 2.000"]),
    ],
)
def test_training_tells_its_steps_after_a_tenth_or_a_minute(
    seconds: int, told: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("hubtweets.training.progress.SECONDS_PER_MESSAGE", seconds)
    caplog.set_level(logging.INFO, "hubtweets")
    bar = ProgressBar(10, 0, quiet=False)
    for step in range(1, 5):
        bar.count(100)
        bar.report(2.0 if step % 2 == 0 else None)
    said = [re.sub(r",? ?[\d,]+ tokens/s, 0:00 left$", "", text) for text in caplog.messages]
    assert said == [f"train: step {one}" for one in told]
