"""Every number on a card comes from a field of its record, and every field shows on the card."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from difflib import SequenceMatcher
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from hubtweets.card import model_card
from hubtweets.card.templating import TEMPLATES, create_environment
from hubtweets.record import serialization
from hubtweets.record.counts import Counts
from hubtweets.record.run_record import RunRecord
from hubtweets.text import escape_markdown
from tests.test_card import CARDS, adapter

NUMBER = re.compile(r"[\w.,-]*\d(?:[\w.,-]*\w)?")  # with the letters around it, as in a commit
JINJA = re.compile(r"(\{%.*?%\}|\{\{.*?\}\})", re.DOTALL)
ENDS = 3  # of a long list, so many from the start and from the end are changed
Place = tuple[str | int, ...]
# What a card does not show: the parts of a sum, a mean or a curve that is drawn, what only changes
# the speed, and what only hubtweets.json tells: hashes, versions, examples of the posts, the seed
# of the samples and the base's perplexity
SILENT = r"""
schema_version
|profiles\.\d+\.(?:account_id|bio)
|(?:sources\.\d+\.sha256|dataset\.(?:train|validation)_sha256|files\.\d+\.(?:sha256|size|path))
|counts\.\d+\.characters
|training\.(?:logging_steps|per_device_train_batch_size|save_\w+|lora_r)
|passes\.0
|environment\.(?:parameters|versions\.\w+)
|base\.revision|dataset\.rows\.\d+\.(?:author|text)|samples\.seed
|audit\.margin
|history\.(?:\d+\.(?:step|learning_rate)|(?!0\.)\d+\.loss)
|evaluations\.\d+\.(?:step|bits_per_byte)
|metrics(?:_by_author\.\d+)?\.(?:(?:base|tuned)\.(?:bytes|tokens)|base\.perplexity)
|metrics_by_author\.\d+\.tuned\.perplexity
|metrics_by_author\.0\.(?:base|tuned)\.(?:bits_per_byte|perplexity)
|samples\.samples\.\d+\.(?:copied\.\w+|text)
"""


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield the values that a record is made of with their places."""
    if is_dataclass(value):
        for field in fields(value):
            yield from leaves(getattr(value, field.name), (*place, field.name))
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from leaves(one, (*place, key))
    elif isinstance(value, tuple):
        for index in sorted({*range(len(value))[:ENDS], *range(len(value))[-ENDS:]}):
            yield from leaves(value[index], (*place, index))
    else:
        yield place, value


def put(value: Any, place: Place, new: Any) -> Any:
    """Return a record with another value at a place; a funnel still adds up."""
    if not place:
        return new
    step, *rest = place
    if isinstance(value, dict):
        return value | {step: put(value[step], tuple(rest), new)}
    if isinstance(value, tuple):
        return tuple(
            put(one, tuple(rest), new) if index == step else one for index, one in enumerate(value)
        )
    name = str(step)
    if isinstance(value, Counts) and name in value.funnel():
        return replace(
            value, **{name: new, "downloaded": value.downloaded + new - getattr(value, name)}
        )
    if isinstance(value, Counts) and name == "downloaded":
        return put(value, ("kept",), value.kept + new - value.downloaded)
    return replace(value, **{name: put(getattr(value, name), tuple(rest), new)})


def other(place: Place, value: Any) -> Any:
    """Return another value for a place, None where a number can't stand there."""
    if place[-1] == "id" and "license" in place:
        return "cc-by-4.0"
    if place[:2] == ("samples", "picked"):
        return None
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return 3 * value + 7
    if isinstance(value, float):
        return 2.7 * value + 0.11
    changed = re.sub(r"\d", lambda digit: str((int(digit[0]) + 3) % 10), value)
    return changed if changed != value else {"no": "bf16"}.get(value)


def numbers(text: str) -> list[str]:
    return NUMBER.findall(unquote(unescape(text)))


def changed(before: list[str], after: list[str]) -> set[int]:
    """Return the places of the numbers that are no longer there."""
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    return set(range(len(before))) - {
        index for block in blocks for index in range(block.a, block.a + block.size)
    }


def variants(record: RunRecord) -> Iterator[tuple[str, RunRecord]]:
    """Yield the record with one field changed at a time, by the field's name."""
    assert record.samples and record.environment
    shown = [
        (("samples", "samples", number - 1, "text"), record.samples.samples[number - 1].text)
        for number in record.samples.picked
    ]
    for place, value in [*leaves(record), *shown]:
        new = other(place, value)
        if new is not None:
            yield ".".join(map(str, place)), put(record, place, new)
    yield (
        "environment.steps and published_step",
        put(
            put(record, ("environment", "steps"), 77_777), ("environment", "published_step"), 77_777
        ),
    )
    if len(record.profiles) > 1:
        each = ("profiles", "sources", "counts", "passes", "metrics_by_author")
        more: dict[str, Any] = {
            name: (*getattr(record, name), getattr(record, name)[-1]) for name in each
        }
        yield "an author more", replace(record, **more)
    yield (
        "samples.samples",
        replace(
            record,
            samples=replace(
                record.samples, samples=(*record.samples.samples, record.samples.samples[0])
            ),
        ),
    )


def read(path: Path) -> RunRecord:
    return serialization.read_public_record(path.read_text(encoding="utf-8"), path.name)[0]


@pytest.mark.parametrize(
    "record",
    [read(path) for path in sorted(CARDS.glob("*.json"))] + [adapter()],
    ids=lambda record: record.handle,
)
def test_every_number_has_a_field_that_it_comes_from(
    record: RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number outside of Jinja's braces is the template's; any other must change with a field."""
    source = (TEMPLATES / "model_card.md.j2").read_text(encoding="utf-8")
    wordless = "".join(
        part if JINJA.fullmatch(part) else re.sub(r"\d", "n", part) for part in JINJA.split(source)
    )
    template = create_environment(finalize=escape_markdown).from_string(wordless)
    monkeypatch.setattr(model_card, "load_template", lambda: template)
    whole = model_card.render(record)
    before = numbers(whole)
    traced: set[int] = set()
    silent: set[str] = set()
    for name, variant in variants(record):
        text = model_card.render(variant)
        traced |= changed(before, numbers(text))
        silent |= {name} if text == whole else set()
    assert [number for index, number in enumerate(before) if index not in traced] == []
    assert [name for name in sorted(silent) if not re.fullmatch(SILENT, name, re.VERBOSE)] == []


def test_no_number_is_written_by_hand() -> None:
    """But for the sizes in HTML and what stands in a snippet."""
    source = (TEMPLATES / "model_card.md.j2").read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```|<[^>]*>", "", JINJA.sub("", source), flags=re.DOTALL)
    assert NUMBER.findall(prose) == []
