"""README.md against the record: what was generated of it says what the record says; what the owner wrote is the owner's.

A line that was generated may be gone or reworded, but its figures may not be others; lines and metadata that were added are not judged.
"""

import re
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from markdown_it import MarkdownIt

from hubtweets import __version__, card
from hubtweets.errors import HubtweetsError
from hubtweets.funnel import stats_rows
from hubtweets.hub import cards
from hubtweets.hub.errors import HubError
from hubtweets.verification.claims import Bot, Verdict

NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
ALIKE = 0.6  # of two lines from which one counts as the other, changed
MOST_LINES = 500  # that were added and are compared one by one
LONGEST_LINE = 2000  # characters that are compared
LONGEST_QUOTE = 100


def check_card(bot: Bot) -> Verdict:
    """The card that was pushed is what the record renders, and README.md says nothing else."""
    try:
        rendered = card.render(bot.record)
    except HubtweetsError as error:
        return False, f"the record can't be rendered: {error}"
    if bot.card != rendered:
        first = next((old, new) for old, new in zip_longest(rendered.splitlines(), bot.card.splitlines(), fillvalue="") if old != new)
        if bot.record.hubtweets_version != __version__:
            return None, f"rendered by another hubtweets; type: pip install hubtweets=={bot.record.hubtweets_version}"
        return False, f"hubtweets.json has the card say {quoted(first[1])} where its record says {quoted(first[0])}"
    try:
        metadata, edits = compare_metadata(cards.front_matter(rendered), cards.front_matter(bot.readme))
    except HubError as error:
        return False, f"README.md: {error}"
    lines, line_edits = compare_lines(cards.body(rendered), cards.body(bot.readme))
    if false := [*metadata, *lines]:
        return False, f"README.md says {false[0]}" + (f"; and {len(false) - 1} more such" if len(false) > 1 else "")
    if line_edits is None:
        return None, f"more than {MOST_LINES} lines of README.md are not as they were rendered"
    return True, "; ".join(["as its record renders", *edits, *line_edits])


def compare_metadata(ours: dict[str, Any], theirs: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return the generated metadata that has another value now, and what else was edited, each in words."""
    false, edits = [], []
    if added := len(theirs.keys() - ours.keys()):
        edits.append(f"metadata of the owner's: {added}")
    for key, value in ours.items():
        if key not in theirs:
            edits.append(f"without its {key}")
            continue
        wanted, shown = (one if isinstance(one, list) else [one] for one in (value, theirs[key]))
        missing, more = ([one for one in left if one not in right] for left, right in ((wanted, shown), (shown, wanted)))
        if missing and (more or not isinstance(value, list)):
            false.append(f"{key}: {quoted(str(more[0] if more else theirs[key]))} where the record says {quoted(str(missing[0]))}")
        elif missing:
            edits.append(f"{key} without {len(missing)}")
        elif more:
            edits.append(f"{key} of the owner's: {len(more)}")
    return false, edits


def compare_lines(ours: str, theirs: str) -> tuple[list[str], list[str] | None]:
    """Return the generated lines whose figures are others now, and how many were edited otherwise (None: too many to tell), each in words."""
    before, after = ([line.strip() for line in text.splitlines() if line.strip()] for text in (ours, theirs))
    if len(after) > len(before) + MOST_LINES:
        return [], None
    gone: list[str] = []
    added: list[str] = []
    for kind, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            gone, added = gone + before[i:j], added + after[k:m]
    if len(added) > MOST_LINES:
        return [], None
    false, reworded = [], 0
    for old in gone:
        alike = {new: likeness(old, new) for new in added}
        new = max(alike, key=lambda line: alike[line], default=None)
        if new is None or alike[new] < ALIKE:
            continue
        added.remove(new)
        reworded += 1
        was, now = NUMBER.findall(old), NUMBER.findall(new)
        if was != now:
            pair = next(pair for pair in zip_longest(now, was, fillvalue="nothing") if pair[0] != pair[1])
            false.append(f"{pair[0]} where the record says {pair[1]}: {quoted(new)}")
    counts = {"lines of the owner's": len(added), "lines reworded": reworded - len(false), "lines gone": len(gone) - reworded}
    return false, [f"{what}: {number}" for what, number in counts.items() if number]


def likeness(old: str, new: str) -> float:
    """Return how alike two lines are but for their figures, from 0 to 1; 0 for what is less than ALIKE by its length or letters alone."""
    before, after = (NUMBER.sub("0", line[:LONGEST_LINE]) for line in (old, new))
    pair = SequenceMatcher(None, before, after, autojunk=False)
    return pair.ratio() if min(pair.real_quick_ratio(), pair.quick_ratio()) >= ALIKE else 0.0


def quoted(text: str) -> str:
    return repr(text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…")


def check_table(bot: Bot) -> Verdict:
    """The stats table on README.md has the recorded funnel, and adds up."""
    rows = [(label, *map(str, numbers)) for label, numbers in stats_rows(bot.record.counts)]
    found = [table for table in tables(cards.body(bot.readme)) if any(row[0] == rows[0][0] for row in table)]
    if len(found) != 1:
        return (None, "the stats table is not on README.md") if not found else (False, f"there are {len(found)} stats tables on README.md")
    shown = [(row[0], *(cell.replace(",", "") for cell in row[1:])) for row in found[0][1:]]
    for wanted, row in zip_longest(rows, shown, fillvalue=()):
        if wanted != row:
            return False, f"{quoted(' | '.join(row) or 'no row')} where the record says {quoted(' | '.join(wanted) or 'no row')}"
    for number, counts in enumerate(bot.record.counts, 1):
        whole, *parts = (int(row[number]) for row in shown)
        if whole != sum(parts):
            return False, f"@{counts.handle}: {whole:,} read, but {sum(parts):,} accounted for"
    downloaded, kept = (sum(getattr(counts, name) for counts in bot.record.counts) for name in ("downloaded", "kept"))
    return True, f"{downloaded:,} posts read, {kept:,} kept; it adds up"


def tables(text: str) -> list[list[tuple[str, ...]]]:
    """Return the tables of a Markdown text: rows of cells as they read."""
    found: list[list[tuple[str, ...]]] = []
    row: list[str] = []
    inside = False
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type in ("table_open", "table_close"):
            inside = token.type == "table_open"
            found += [[]] * inside
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close":
            found[-1] = [*found[-1], tuple(row)]
        elif token.type == "inline" and inside:
            row.append("".join(child.content for child in token.children or () if child.type in ("text", "text_special", "code_inline")))
    return found


def check_widget(bot: Bot) -> Verdict:
    """What README.md's widget shows as the model's are the samples that were picked."""
    samples = bot.record.samples
    assert samples
    try:
        wanted, shown = (cards.front_matter(text).get("widget") or [] for text in (card.render(bot.record), bot.readme))
    except (HubtweetsError, HubError) as error:
        return False, str(error)
    if not isinstance(shown, list):
        return False, "it is no list of examples"
    others = [one for one in shown if one not in wanted and isinstance(one, dict) and "output" in one]
    if others:
        return False, f"{quoted(str(others[0].get('output')))} is none of the samples that were picked"
    missing = sum(one not in shown for one in wanted)
    own = len(shown) - len(wanted) + missing
    notes = [f"{len(wanted) - missing} samples as they were picked"]
    notes += [f"{missing} taken away"] * bool(missing) + [f"{own} without an output are the owner's"] * bool(own)
    return True, ", ".join(notes)
