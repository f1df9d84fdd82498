"""The three-way merge of a card: what its owner wrote into it stays, and the new facts go in.

In: the card as it was rendered last, as it is rendered now, and as it stands on the Hub. Out: the card to push, and where both sides changed the
same to different ends; there it has the new rendering, and a person has to look. The body is merged by lines as diff3 does (Khanna, Kunal and
Pierce: A Formal Investigation of Diff3, 2007), the front matter by keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import yaml

from hubtweets.errors import one_line
from hubtweets.front_matter import Dumper
from hubtweets.hub.cards import FRONT_MATTER, front_matter
from hubtweets.hub.errors import HubError

MAX_LINES = 5000  # difflib takes time with the square of them
SHOWN = 60  # characters of either side of a conflict
ABSENT = object()  # what stands where a key is not there


@dataclass(frozen=True)
class Conflict:
    """Where both sides changed a card, and what stands there and what is new, cut short."""

    where: str
    theirs: str
    ours: str

    def __str__(self) -> str:
        return f"{self.where}: there {self.theirs}, new {self.ours}"


@dataclass(frozen=True)
class Merged:
    """A merged card and its conflicts, in which the text has our side."""

    text: str
    conflicts: tuple[Conflict, ...] = ()


def merge(base: str | None, ours: str, theirs: str) -> Merged:
    """Merge a card on the Hub with a new one; `base`, which both were made from, is None where nobody knows it."""
    theirs = ended(theirs)
    if theirs == ended(ours) or (base is None and not parted(theirs)[1].strip()):
        return Merged(ours)  # the card that a Hub makes itself has no text
    if base is None or max(card.count("\n") for card in (base, ours, theirs)) > MAX_LINES:
        return Merged(ours, (Conflict("the whole card", short(theirs), short(ours)),))
    (base_head, base_body), (our_head, our_body), (their_head, their_body) = map(parted, (ended(base), ended(ours), theirs))
    head, in_head = merge_heads(base_head, our_head, their_head)
    lines = [text.splitlines(keepends=True) for text in (base_body, our_body, their_body)]
    body, in_body = merge_lines(lines[0], lines[1], lines[2], before=their_head.count("\n"))
    return Merged(head + body, (*in_head, *in_body))


def ended(text: str) -> str:
    """Return a text whose lines all end alike, the last one too."""
    text = text.replace("\r\n", "\n")
    return text if text.endswith("\n") else text + "\n"


def parted(card: str) -> tuple[str, str]:
    """Return the front matter with its two lines of dashes, and the body."""
    match = FRONT_MATTER.match(card)
    end = match.end() if match else 0
    return card[:end], card[end:]


def merge_lines(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str], before: int = 0) -> tuple[str, list[Conflict]]:
    """Merge texts given by lines; `before` is how many lines come before theirs, for the numbers in the conflicts."""
    in_ours, in_theirs = matched(base, ours), matched(base, theirs)
    merged: list[str] = []
    conflicts = []
    b = o = t = 0
    for stable in [*sorted(in_ours.keys() & in_theirs.keys()), len(base)]:
        our_end, their_end = in_ours.get(stable, len(ours)), in_theirs.get(stable, len(theirs))
        was, our, their = base[b:stable], ours[o:our_end], theirs[t:their_end]
        chunk = merge_chunks(was, our, their)
        if chunk is None:
            conflicts.append(Conflict(f"line {before + t + 1}", short("".join(their)), short("".join(our))))
        merged += [*(our if chunk is None else chunk), *base[stable : stable + 1]]
        b, o, t = stable + 1, our_end + 1, their_end + 1
    return "".join(merged), conflicts


def merge_chunks(was: Sequence[str], our: Sequence[str], their: Sequence[str]) -> Sequence[str] | None:
    """Merge lines none of which both sides left alone; None where both changed the same ones, which diff3 thinks of lines that only touch too."""
    if their in (was, our):
        return our
    if our == was:
        return their
    for adding, other in ((their, our), (our, their)):  # one side may only have put lines before or after what the other changed
        if adding[: len(was)] == was:
            return [*other, *adding[len(was) :]]
        if adding[len(adding) - len(was) :] == was:
            return [*adding[: len(adding) - len(was)], *other]
    return None


def matched(base: Sequence[str], other: Sequence[str]) -> dict[int, int]:
    """Return which line of the other text is which one of the base."""
    blocks = SequenceMatcher(None, base, other, autojunk=False).get_matching_blocks()
    return {block.a + n: block.b + n for block in blocks for n in range(block.size)}


def merge_heads(base: str, ours: str, theirs: str) -> tuple[str, list[Conflict]]:
    """Merge front matters by their keys; where one side has changed nothing, the other's text is taken with its comments and its order."""
    if theirs in (base, ours):
        return ours, []
    if ours == base:
        return theirs, []
    try:
        was, our, their = map(front_matter, (base, ours, theirs))
    except HubError as error:
        return ours, [Conflict("metadata", short(str(error)), short("the rendered metadata"))]
    merged, conflicts = {}, []
    for key in {**our, **their}:
        values = [side.get(key, ABSENT) for side in (was, our, their)]
        value, agreed = merge_values(*values)
        if not agreed:
            conflicts.append(Conflict(f"metadata {key!r}", *(short("" if one is ABSENT else str(one)) for one in (values[2], values[1]))))
        if value is not ABSENT:
            merged[key] = value
    if merged == our:
        return ours, conflicts
    return f"---\n{yaml.dump(merged, Dumper=Dumper, allow_unicode=True, sort_keys=False, width=10**9)}---\n" * bool(merged), conflicts


def merge_values(base: Any, ours: Any, theirs: Any) -> tuple[Any, bool]:
    """Merge what a key has on each side, lists of plain values as sets; return our value and False where that can't be."""
    if theirs in (base, ours):
        return ours, True
    if ours == base:
        return theirs, True
    lists = [plain_list(value) for value in (base, ours, theirs)]
    was, our, their = lists
    if was is None or our is None or their is None or not (isinstance(ours, list) or isinstance(theirs, list)):
        return ours, False
    kept = [value for value in our if value in their or value not in was]
    return kept + [value for value in their if value not in our and value not in was], True


def plain_list(value: Any) -> list[Any] | None:
    """Return a value as a list, one value as a list of it; None where it holds more than plain values."""
    values = [] if value is ABSENT else value if isinstance(value, list) else [value]
    return None if any(isinstance(one, dict | list) for one in values) else values


def short(text: str) -> str:
    """Return a text on one line, printable and cut."""
    text = one_line(text)
    return f'"{text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"}"' if text else "nothing"
