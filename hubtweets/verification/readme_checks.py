"""README.md against the record, as a reader sees it.

What was generated of it stands there unchanged, and what the owner wrote is called the owner's.
Every generated line that states something must be there once, in its order, and visible: lines with
a figure, table rows, the summaries of what is folded, lines that name an author, and what the card
says of copies, limits, licence and rights. Other generated lines may be reworded or gone. A line of
the owner's that holds a figure is named, because nothing here can check it.
"""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from itertools import zip_longest
from typing import Any

from hubtweets import __version__
from hubtweets.card.card_parser import FrontMatterError, parse_front_matter, strip_front_matter
from hubtweets.card.metadata import KEYS
from hubtweets.errors import HubtweetsError
from hubtweets.record.run_record import RunRecord
from hubtweets.verification.claims import Bot, Verdict
from hubtweets.verification.visible import (
    Line,
    UnclearCardError,
    hide_folded,
    looks_of,
    read_lines,
    tables_of,
)

# Headings under which every line stays.
STATEMENTS = ("Does it copy?", "Limitations and bias", "Licence and rights")
ALIKE = 0.6  # of two lines, from which one is quoted as what became of the other
MAX_COMPARED_LINES = 500
MAX_QUOTED_CHARACTERS = 100
MAX_COMPARED_CHARACTERS = 500  # characters of a line that are compared with others
MAX_NAMED = 3
# Keys of the metadata that hubtweets writes, to which an owner may add.
OWNERS_KEYS = ("language", "tags", "widget")
# The space that the Hub skips before the front matter (huggingface_hub.repocard, REGEX_YAML_BLOCK).
LEADING_SPACE = re.compile(r"\A[\s\ufeff]+(?=---)")


def check_card(bot: Bot) -> Verdict:
    """The card that was pushed is what the record renders.

    README.md says all of it, visibly and unchanged.
    """
    try:
        rendered = bot.rendered
    except HubtweetsError as error:
        return False, f"the record can't be rendered: {error}"
    if bot.card != rendered:
        if bot.record.hubtweets_version != __version__:
            return (
                None,
                "rendered by another hubtweets; "
                f"type: pip install hubtweets=={bot.record.hubtweets_version}",
            )
        first = next(
            (old, new)
            for old, new in zip_longest(rendered.splitlines(), bot.card.splitlines(), fillvalue="")
            if old != new
        )
        return (
            False,
            f"hubtweets.json has the card say {quote(first[1])} "
            f"where its record says {quote(first[0])}",
        )
    try:
        metadata, edits = compare_metadata(
            parse_front_matter(rendered), parse_front_matter(strip_space(bot.readme))
        )
        generated, shown = (lines_of(text, rendered) for text in (rendered, bot.readme))
    except FrontMatterError as error:
        return False, f"README.md: {error}"
    except UnclearCardError as error:
        return None, f"README.md {error}; it is not compared"
    if false := [*metadata, *compare_lines(bot.record, generated, shown)]:
        return False, f"README.md {false[0]}" + (
            f"; and {len(false) - 1} more" if len(false) > 1 else ""
        )
    return True, "; ".join(["as its record renders", *edits, *describe_edits(generated, shown)])


def strip_space(readme: str) -> str:
    """Return a README.md without the space before its front matter."""
    return LEADING_SPACE.sub("", readme)


def lines_of(readme: str, rendered: str) -> Sequence[Line]:
    """Return the lines of a README.md that was made from a rendered card.

    Raises UnclearCardError if it can't be told what a reader sees.
    """
    ours = strip_front_matter(rendered)
    looks = looks_of(ours)
    lines = read_lines(strip_front_matter(strip_space(readme)), looks)
    return hide_folded(lines, read_lines(ours, looks))


def compare_metadata(ours: dict[str, Any], theirs: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return the generated metadata that has another value now, and what else was edited.

    Each is given in words.
    """
    added = [key for key in theirs if key not in ours]
    false = [
        f"says {key}: {quote(str(theirs[key]))} where the record says nothing of it"
        for key in added
        if is_generated(key)
    ]
    edits = [f"metadata of the owner's: {len(added)}"] if added else []
    for key, value in ours.items():
        if key not in theirs:
            edits.append(f"without its {key}")
            continue
        wanted, shown = (one if isinstance(one, list) else [one] for one in (value, theirs[key]))
        missing, more = (
            [one for one in left if one not in right]
            for left, right in ((wanted, shown), (shown, wanted))
        )
        if (missing and (more or not isinstance(value, list))) or (more and is_generated(key)):
            false.append(
                f"says {key}: {quote(str(more[0] if more else theirs[key]))} "
                f"where the record says {quote(str((missing or wanted)[0]))}"
            )
        elif missing:
            edits.append(f"{key} without {len(missing)}")
        elif more:
            edits.append(f"{key} of the owner's: {len(more)}")
    return false, edits


def is_generated(key: str) -> bool:
    """Tell whether only hubtweets says something under a key of the metadata."""
    return key in KEYS and key not in OWNERS_KEYS


def compare_lines(record: RunRecord, generated: Sequence[Line], shown: Sequence[Line]) -> list[str]:
    """Return what is false about the visible lines of README.md, each in words."""
    summaries = {summary for line in generated for summary in line.folds}
    required = [
        line.shown for line in generated if is_required(record, line) or line.text in summaries
    ]
    there = [line.shown for line in shown if not line.hidden and line.shown in set(required)]
    missing = [text for text, *_ in sorted(set(required) - set(there), key=required.index)]
    false = [describe_missing(missing[0], generated, shown), *missing[1:]] if missing else []
    if not false and there != required:
        moved = (
            next(one for one, other in zip_longest(there, required) if one != other) or required[-1]
        )
        false.append(f"says {quote(moved[0])} more than once, or in another place")
    known = {text for text, *_ in required}
    tables = [[row.text for row in rows] for rows in tables_of(generated)]
    for rows in tables_of(shown):
        texts = [row.text for row in rows]
        if texts not in tables and known.intersection(texts[1:]):
            strange = next((text for text in texts if text not in known), texts[0])
            false.append(
                f"has a row in a generated table that the record does not know: {quote(strange)}"
            )
    return false


def is_required(record: RunRecord, line: Line) -> bool:
    """Tell whether a generated line states something about the bot."""
    handles = [f"@{profile.handle}" for profile in record.profiles]
    return (
        has_figure(line.text)
        or line.table is not None
        or line.heading in STATEMENTS
        or any(handle in line.text for handle in handles)
        or (not line.heading and line.text.endswith(" AI BOT"))
    )


def has_figure(text: str) -> bool:
    return any(character.isdigit() for character in text)


def describe_missing(text: str, generated: Sequence[Line], shown: Sequence[Line]) -> str:
    """Say that a generated line is not on README.md, and what may stand in its place.

    A line that is only where it can't be seen is said to be hidden.
    """
    if any(line.text == text for line in shown):
        return f"hides {quote(text)}"
    known = {line.text for line in generated}
    others = [line.text for line in shown if line.text not in known][:MAX_COMPARED_LINES]
    near = get_close_matches(
        text[:MAX_COMPARED_CHARACTERS],
        [other[:MAX_COMPARED_CHARACTERS] for other in others],
        1,
        ALIKE,
    )
    return (
        f"says {quote(*around(near[0], text))} "
        f"where the record says {quote(*around(text, near[0]))}"
        if near
        else f"lacks {quote(text)}"
    )


def around(text: str, other: str) -> tuple[str, int]:
    """Return a text, and where it first differs from another one."""
    return text, next(
        (place for place, (one, two) in enumerate(zip_longest(text, other)) if one != two), 0
    )


def quote(text: str, place: int = 0) -> str:
    """Return a text in quotes, cut to what is around a place."""
    start = max(0, place - MAX_QUOTED_CHARACTERS // 2) if len(text) > MAX_QUOTED_CHARACTERS else 0
    cut = text[start : start + MAX_QUOTED_CHARACTERS]
    return repr("…" * (start > 0) + cut + "…" * (start + len(cut) < len(text)))


def describe_edits(generated: Sequence[Line], shown: Sequence[Line]) -> list[str]:
    """Say what the owner added and took away.

    Lines with figures are quoted because they are unchecked.
    """
    before, after = ({line.text for line in lines} for lines in (generated, shown))
    own = [line.text for line in shown if line.text not in before]
    figures = [text for text in own if has_figure(text)]
    edits = []
    if own:
        edits.append(f"lines of the owner's: {len(own)}")
    if figures:
        more = f" and {len(figures) - MAX_NAMED} more" if len(figures) > MAX_NAMED else ""
        edits.append(
            "with figures that nothing here can check: "
            f"{', '.join(map(quote, figures[:MAX_NAMED]))}{more}"
        )
    if gone := len(before - after):
        edits.append(f"lines gone: {gone}")
    return edits


def check_widget(bot: Bot) -> Verdict:
    """What README.md's widget shows as the model's are the samples that were picked."""
    samples = bot.record.samples
    assert samples
    try:
        wanted, shown = (
            parse_front_matter(text).get("widget") or []
            for text in (bot.rendered, strip_space(bot.readme))
        )
    except (HubtweetsError, FrontMatterError) as error:
        return False, str(error)
    if not isinstance(shown, list):
        return False, "it is no list of examples"
    others = [
        one for one in shown if one not in wanted and isinstance(one, dict) and "output" in one
    ]
    if others:
        return (
            False,
            f"{quote(str(others[0].get('output')))} is none of the samples that were picked",
        )
    missing = sum(one not in shown for one in wanted)
    own = len(shown) - len(wanted) + missing
    notes = [f"{len(wanted) - missing} samples as they were picked"]
    if missing:
        notes.append(f"{missing} taken away")
    if own:
        notes.append(f"{own} without an output are the owner's")
    return True, ", ".join(notes)
