"""The three-way merge of a card: what its owner wrote into it stays, and the new facts go in.

In: the card as it was rendered last, as it is rendered now, and as it stands on the Hub. Out: the card to push, and where both sides changed the
same to different ends; there it has the new rendering, and a person has to look. The body is merged by lines as diff3 does (Khanna, Kunal and
Pierce: A Formal Investigation of Diff3, 2007). The front matter is merged by keys: the text of a key that only its owner changed stays as it is.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from hubtweets.card.blocks import Block, dump_list, edit_list, read_blocks, read_values
from hubtweets.card.front_matter import FRONT_MATTER, FrontMatterError
from hubtweets.errors import one_line

MAX_LINES = 5000  # difflib takes time with the square of them
MAX_QUOTE_CHARS = 60  # characters of either side of a conflict


@dataclass(frozen=True)
class Conflict:
    """Where both sides changed a card, and what stands there and what is new, cut short."""

    where: str
    theirs: str
    ours: str

    def __str__(self) -> str:
        return f"{self.where}: there {self.theirs}, new {self.ours}"


@dataclass(frozen=True)
class MergedCard:
    """A merged card and its conflicts, in which the text has our side."""

    text: str
    conflicts: tuple[Conflict, ...] = ()


def merge(base: str | None, ours: str, theirs: str) -> MergedCard:
    """Merge a card on the Hub with a new one; `base`, which both were made from, is None where nobody knows it."""
    theirs = normalize_newlines(theirs)
    if theirs == normalize_newlines(ours) or (
        base is None and not split_front_matter(theirs)[1].strip()
    ):
        return MergedCard(ours)  # the card that a Hub makes itself has no text
    if base is None or max(card.count("\n") for card in (base, ours, theirs)) > MAX_LINES:
        return MergedCard(
            ours, (Conflict("the whole card", quote_start(theirs), quote_start(ours)),)
        )
    (base_head, base_body), (our_head, our_body), (their_head, their_body) = map(
        split_front_matter, (normalize_newlines(base), normalize_newlines(ours), theirs)
    )
    head, in_head = merge_heads(base_head, our_head, their_head)
    lines = [text.splitlines(keepends=True) for text in (base_body, our_body, their_body)]
    body, in_body = merge_lines(lines[0], lines[1], lines[2], before=their_head.count("\n"))
    return MergedCard(head + body, (*in_head, *in_body))


def normalize_newlines(text: str) -> str:
    """Return a text whose lines all end alike, the last one too, and without a byte order mark."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    return text if text.endswith("\n") else text + "\n"


def split_front_matter(card: str) -> tuple[str, str]:
    """Return the front matter with its two lines of dashes, and the body."""
    match = FRONT_MATTER.match(card)
    end = match.end() if match else 0
    return card[:end], card[end:]


def merge_lines(
    base: Sequence[str], ours: Sequence[str], theirs: Sequence[str], before: int = 0
) -> tuple[str, list[Conflict]]:
    """Merge texts given by lines; `before` is how many lines come before theirs, for the numbers in the conflicts."""
    in_ours, in_theirs = match_lines(base, ours), match_lines(base, theirs)
    merged: list[str] = []
    conflicts = []
    b = o = t = 0
    for stable in [*sorted(in_ours.keys() & in_theirs.keys()), len(base)]:
        our_end, their_end = in_ours.get(stable, len(ours)), in_theirs.get(stable, len(theirs))
        was, our, their = base[b:stable], ours[o:our_end], theirs[t:their_end]
        chunk = merge_chunks(was, our, their)
        if chunk is None:
            conflicts.append(
                Conflict(
                    f"line {before + t + 1}", quote_start("".join(their)), quote_start("".join(our))
                )
            )
        merged += [*(our if chunk is None else chunk), *base[stable : stable + 1]]
        b, o, t = stable + 1, our_end + 1, their_end + 1
    return "".join(merged), conflicts


def merge_chunks(
    was: Sequence[str], our: Sequence[str], their: Sequence[str]
) -> Sequence[str] | None:
    """Merge lines none of which both sides left alone; None where both changed the same ones, which diff3 thinks of lines that only touch too."""
    if their in (was, our):
        return our
    if our == was:
        return their
    for adding, other in (
        (their, our),
        (our, their),
    ):  # one side may only have put lines before or after what the other changed
        if adding[: len(was)] == was:
            return [*other, *adding[len(was) :]]
        if adding[len(adding) - len(was) :] == was:
            return [*adding[: len(adding) - len(was)], *other]
    return None


def match_lines(base: Sequence[str], other: Sequence[str]) -> dict[int, int]:
    """Return which line of the other text is which one of the base."""
    blocks = SequenceMatcher(None, base, other, autojunk=False).get_matching_blocks()
    return {block.a + n: block.b + n for block in blocks for n in range(block.size)}


def merge_heads(base: str, ours: str, theirs: str) -> tuple[str, list[Conflict]]:
    """Merge front matters by their keys: theirs in their order and with their comments, also of a key that goes; then the new ones of ours."""
    if theirs in (base, ours):
        return ours, []
    if ours == base:
        return theirs, []
    lines: dict[str, str] = {}
    values: dict[str, str] = {}
    conflicts: list[Conflict] = []
    try:
        was, (our, _), (their, rest) = (
            read_values(strip_dashes(base)),
            read_blocks(strip_dashes(ours)),
            read_blocks(strip_dashes(theirs)),
        )
        for key in {**their, **our}:
            merged, agreed = merge_blocks(key, was.get(key), our.get(key), their.get(key))
            lines[key] = merged.text if merged else ""
            if merged:
                values[key] = merged.value
            if not agreed:
                conflicts.append(
                    Conflict(f"metadata {key!r}", describe(their.get(key)), describe(our.get(key)))
                )
        text = "".join(block.lead + lines[key] for key, block in their.items()) + rest
        text += "".join(lines[key] for key in our if key not in their)
        if values and read_values(text) != values:
            raise FrontMatterError(
                "the owner's metadata and the rendered metadata do not fit into one text"
            )
    except FrontMatterError as error:
        return ours, [
            Conflict("metadata", quote_start(str(error)), quote_start("the rendered metadata"))
        ]
    return f"---\n{text}---\n" * bool(values), conflicts


def strip_dashes(head: str) -> str:
    """Return a front matter without its two lines of dashes."""
    return head.removeprefix("---\n").removesuffix("---\n")


def merge_blocks(
    key: str, was: str | None, our: Block | None, their: Block | None
) -> tuple[Block | None, bool]:
    """Merge what a key has on each side, lists of plain values as sets; return our block and False if both changed it to different ends."""
    ours, theirs = (block.value if block else None for block in (our, their))
    if theirs == ours or ours == was:
        return their, True
    if theirs == was:
        return our, True
    before, new, old = map(parse_plain_list, (was, ours, theirs))
    if (
        before is None
        or new is None
        or old is None
        or not any(str(value).startswith("[") for value in (ours, theirs))
    ):
        return our, False
    gone = [item for item in old if item in before and item not in new]
    added = [item for item in new if item not in before and item not in old]
    merged = [item for item in old if item not in gone] + added
    text = edit_list(their, gone, added) if their else dump_list(key, added)
    return Block("", text, f"[{', '.join(merged)}]"), True


def parse_plain_list(value: str | None) -> list[str] | None:
    """Return a value as a list of JSON texts, one value as a list of it; None if it holds more than plain values."""
    found = [] if value is None else json.loads(value)
    items = found if isinstance(found, list) else [found]
    return (
        None
        if any(isinstance(one, dict | list) for one in items)
        else [json.dumps(one) for one in items]
    )


def describe(block: Block | None) -> str:
    """Return what a conflict says of a key's value."""
    return quote_start(str(json.loads(block.value)) if block else "")


def quote_start(text: str) -> str:
    """Return a text on one line, printable and cut."""
    text = one_line(text)
    return (
        f'"{text if len(text) <= MAX_QUOTE_CHARS else text[: MAX_QUOTE_CHARS - 1] + "…"}"'
        if text
        else "nothing"
    )
