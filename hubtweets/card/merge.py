"""The three-way merge of a card: the owner's edits stay, and new facts go in.

In: the card as it was rendered last, as it is rendered now, and as it is on the Hub. Out: the card
to push, and its conflicts: places that both sides changed differently. There the new rendering is
taken, and a person has to look.

The body is merged by lines as diff3 does (Khanna, Kunal and Pierce: A Formal Investigation of
Diff3, 2007). The front matter is merged by keys: the text of a key that only the owner changed
stays as it is.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from hubtweets.card.blocks import Block, dump_list, edit_list, read_blocks, read_values
from hubtweets.card.card_parser import FRONT_MATTER, FrontMatterError
from hubtweets.errors import one_line

MAX_LINES = 5000  # difflib's time grows with the square of the number of lines
MAX_QUOTE_CHARS = 60  # of either side of a conflict


@dataclass(frozen=True)
class Conflict:
    """A place that both sides changed, with the start of what each has there."""

    where: str
    theirs: str
    ours: str

    def __str__(self) -> str:
        return f"{self.where}: on the Hub {self.theirs}, new {self.ours}"


@dataclass(frozen=True)
class MergedCard:
    """A merged card and its conflicts, where the text has our side."""

    text: str
    conflicts: tuple[Conflict, ...] = ()


def merge(base: str | None, ours: str, theirs: str) -> MergedCard:
    """Merge a new card with the one on the Hub.

    `base` is the card that both were made from, None if it is unknown.
    """
    theirs = normalize_newlines(theirs)
    if theirs == normalize_newlines(ours):
        return MergedCard(ours)
    their_head, their_body = split_front_matter(theirs)
    if base is None and not their_body.strip():  # a card that a Hub wrote has no body
        return MergedCard(ours)
    if base is None or max(card.count("\n") for card in (base, ours, theirs)) > MAX_LINES:
        return MergedCard(ours, (Conflict("the whole card", quote(theirs), quote(ours)),))
    base_head, base_body = split_front_matter(normalize_newlines(base))
    our_head, our_body = split_front_matter(normalize_newlines(ours))
    head, head_conflicts = merge_heads(base_head, our_head, their_head)
    body, body_conflicts = merge_lines(
        base_body.splitlines(keepends=True),
        our_body.splitlines(keepends=True),
        their_body.splitlines(keepends=True),
        before=their_head.count("\n"),
    )
    return MergedCard(head + body, (*head_conflicts, *body_conflicts))


def normalize_newlines(text: str) -> str:
    """Return a text with "\\n" at the end of every line, and without a byte order mark."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    return text if text.endswith("\n") else text + "\n"


def split_front_matter(card: str) -> tuple[str, str]:
    """Return the front matter, with its two lines of dashes, and the body."""
    match = FRONT_MATTER.match(card)
    end = match.end() if match else 0
    return card[:end], card[end:]


def merge_lines(
    base: Sequence[str], ours: Sequence[str], theirs: Sequence[str], before: int = 0
) -> tuple[str, list[Conflict]]:
    """Merge three texts, given as lines.

    `before` is the number of lines before theirs in the card, for the line numbers of conflicts.
    """
    in_ours, in_theirs = match_lines(base, ours), match_lines(base, theirs)
    merged: list[str] = []
    conflicts = []
    b = o = t = 0  # where the next chunk starts in base, ours, theirs
    for stable in [*sorted(in_ours.keys() & in_theirs.keys()), len(base)]:
        our_end, their_end = in_ours.get(stable, len(ours)), in_theirs.get(stable, len(theirs))
        our, their = ours[o:our_end], theirs[t:their_end]
        chunk = merge_chunks(base[b:stable], our, their)
        if chunk is None:
            where = f"line {before + t + 1}"
            conflicts.append(Conflict(where, quote("".join(their)), quote("".join(our))))
            chunk = our
        merged += [*chunk, *base[stable : stable + 1]]
        b, o, t = stable + 1, our_end + 1, their_end + 1
    return "".join(merged), conflicts


def merge_chunks(
    base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]
) -> Sequence[str] | None:
    """Merge a chunk of lines of which both sides left none alone; None if they conflict.

    Unlike diff3, which takes touching changes for a conflict, one side may change lines while the
    other only adds lines before or after them.
    """
    if theirs in (base, ours):
        return ours
    if ours == base:
        return theirs
    for adding, other in ((theirs, ours), (ours, theirs)):
        added = len(adding) - len(base)
        if adding[: len(base)] == base:
            return [*other, *adding[len(base) :]]
        if adding[added:] == base:
            return [*adding[:added], *other]
    return None


def match_lines(base: Sequence[str], other: Sequence[str]) -> dict[int, int]:
    """Return the indices of the base's lines that the other text has too, and theirs in it."""
    blocks = SequenceMatcher(None, base, other, autojunk=False).get_matching_blocks()
    return {block.a + n: block.b + n for block in blocks for n in range(block.size)}


def merge_heads(base: str, ours: str, theirs: str) -> tuple[str, list[Conflict]]:
    """Merge front matters by their keys.

    Their keys come first, in their order and with their comments, even those of a removed key; our
    new keys follow.
    """
    if theirs in (base, ours):
        return ours, []
    if ours == base:
        return theirs, []
    try:
        return merge_keys(*map(strip_dashes, (base, ours, theirs)))
    except FrontMatterError as error:
        return ours, [Conflict("metadata", quote(str(error)), quote("the rendered metadata"))]


def merge_keys(base: str, ours: str, theirs: str) -> tuple[str, list[Conflict]]:
    """Merge the YAML of front matters; raise FrontMatterError if it can't be read or combined."""
    before = read_values(base)
    our, _ = read_blocks(ours)
    their, rest = read_blocks(theirs)
    merged: dict[str, Block | None] = {}
    conflicts = []
    for key in {**their, **our}:
        our_block, their_block = our.get(key), their.get(key)
        merged[key], is_clean = merge_blocks(key, before.get(key), our_block, their_block)
        if not is_clean:
            where = f"metadata {key!r}"
            conflicts.append(Conflict(where, quote_value(their_block), quote_value(our_block)))
    lines = {key: block.text if block else "" for key, block in merged.items()}
    text = "".join(block.lead + lines[key] for key, block in their.items()) + rest
    text += "".join(lines[key] for key in our if key not in their)
    values = {key: block.value for key, block in merged.items() if block}
    if values and read_values(text) != values:
        raise FrontMatterError("the owner's and the rendered metadata can't be combined")
    return f"---\n{text}---\n" if values else "", conflicts


def strip_dashes(head: str) -> str:
    """Return a front matter without its two lines of dashes."""
    return head.lstrip().removeprefix("---\n").removesuffix("---\n")


def merge_blocks(
    key: str, base: str | None, our: Block | None, their: Block | None
) -> tuple[Block | None, bool]:
    """Merge the blocks of a key; return the merged block, and False if there is a conflict.

    Lists of plain values are merged as sets. `base` is the key's value as JSON.
    """
    our_value = our.value if our else None
    their_value = their.value if their else None
    if our_value in (base, their_value):
        return their, True
    if their_value == base:
        return our, True
    if not any((value or "").startswith("[") for value in (our_value, their_value)):
        return our, False
    before, new, old = map(list_plain_values, (base, our_value, their_value))
    if before is None or new is None or old is None:
        return our, False
    removed = [item for item in old if item in before and item not in new]
    added = [item for item in new if item not in before and item not in old]
    merged = [item for item in old if item not in removed] + added
    text = edit_list(their, removed, added) if their else dump_list(key, added)
    return Block("", text, f"[{', '.join(merged)}]"), True


def list_plain_values(value: str | None) -> list[str] | None:
    """Return the items of a JSON list, or a single value, as JSON; None if one is not plain."""
    found = [] if value is None else json.loads(value)
    items = found if isinstance(found, list) else [found]
    if any(isinstance(item, dict | list) for item in items):
        return None
    return [json.dumps(item) for item in items]


def quote_value(block: Block | None) -> str:
    """Return a key's value for a conflict."""
    return quote(str(json.loads(block.value)) if block else "")


def quote(text: str) -> str:
    """Return a text in quotes, on one line, printable and cut; or "nothing"."""
    text = one_line(text)
    if not text:
        return "nothing"
    return f'"{text if len(text) <= MAX_QUOTE_CHARS else text[: MAX_QUOTE_CHARS - 1] + "…"}"'
