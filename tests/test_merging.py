"""The merge of a card with what its owner wrote into it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubtweets.merging import MAX_LINES, Conflict, Merged, merge

HEAD = "---\nlicense: mit\ntags:\n- huggingtweets\nwidget:\n- text: My dream is\n---\n"
BODY = "\n# @bot\n\nKept: 864\n\n## Training\n\nLoss: 1.25\n"
NEWER = BODY.replace("864", "900").replace("1.25", "1.10")
CARD, NEW = HEAD + BODY, HEAD + NEWER

MERGES = {
    "nothing edited": (CARD, NEW, CARD, Merged(NEW)),
    "nothing new": (CARD, CARD, CARD + "\nMine.\n", Merged(CARD + "\nMine.\n")),
    "a paragraph between": (
        CARD,
        NEW,
        CARD.replace("## Training", "My bot, my words.\n\n## Training"),
        Merged(NEW.replace("## Training", "My bot, my words.\n\n## Training")),
    ),
    "a paragraph at the end, and Windows' line ends": (CARD, NEW, (CARD + "\nMine.").replace("\n", "\r\n"), Merged(NEW + "\nMine.\n")),
    "a line before, a line after": (CARD, NEW, f"{HEAD}First.\n{BODY}Last.\n", Merged(f"{HEAD}First.\n{NEWER}Last.\n")),
    "right before, right after": (
        CARD,
        NEW,
        CARD.replace("Kept: 864", "Mine.\nKept: 864").replace("Loss: 1.25", "Loss: 1.25\nMine."),
        Merged(NEW.replace("Kept: 900", "Mine.\nKept: 900").replace("Loss: 1.10", "Loss: 1.10\nMine.")),
    ),
    "lines at one place": (CARD, CARD + "New.\n", CARD + "Mine.\n", Merged(CARD + "New.\nMine.\n")),
    "a line taken out": (CARD, CARD.replace("864", "900"), CARD.replace("Loss: 1.25\n", ""), Merged(NEW.replace("Loss: 1.10\n", ""))),
    "the same on both sides": (CARD, NEW, CARD.replace("864", "900"), Merged(NEW)),
    "a number of its own": (CARD, NEW, CARD.replace("864", "999"), Merged(NEW, (Conflict("line 11", '"Kept: 999"', '"Kept: 900"'),))),
    "a changed line taken out": (CARD, NEW, CARD.replace("Loss: 1.25\n", ""), Merged(NEW, (Conflict("line 15", "nothing", '"Loss: 1.10"'),))),
    "a hostile line": (
        CARD,
        NEW,
        CARD.replace("Kept: 864", "\x1b[2J" + "x" * 99),
        Merged(NEW, (Conflict("line 11", '"\ufffd[2J' + "x" * 55 + '…"', '"Kept: 900"'),)),
    ),
    "no card yet": (None, NEW, "", Merged(NEW)),
    "the Hub's own card": (None, NEW, "---\nlicense: apache-2.0\n---\n", Merged(NEW)),
    "a stranger's card": (None, "# New\n", "# Old\n", Merged("# New\n", (Conflict("the whole card", '"# Old"', '"# New"'),))),
    "the same card of an unknown hand": (None, NEW, NEW, Merged(NEW)),
    "far too many lines": (
        CARD,
        "# New\n",
        "x\n" * (MAX_LINES + 1),
        Merged("# New\n", (Conflict("the whole card", '"' + "x " * 29 + 'x…"', '"# New"'),)),
    ),
}


@pytest.mark.parametrize("name", MERGES)
def test_merge(name: str) -> None:
    base, ours, theirs, merged = MERGES[name]
    assert merge(base, ours, theirs) == merged


# base, ours and theirs as YAML, and what comes out
HEADS = {
    "a key of the owner's": ("a: 1\nb: 1", "a: 2\nb: 1", "a: 1\nb: 1\nmine: [x, {y: no}]", "a: 2\nb: 1\nmine:\n- x\n- y: 'no'\n"),
    "a value of the owner's": ("a: 1\nb: 1", "a: 2\nb: 1", "a: 1\nb: 7", "a: 2\nb: 7\n"),
    "a key taken out": ("a: 1\nb: 1", "a: 2\nb: 1", "a: 1", "a: 2\n"),
    "tags on both sides": ("tags: [x, y, z]", "tags: [x, w, y, z]", "tags: [mine, x, z]", "tags:\n- x\n- w\n- z\n- mine\n"),
    "a language more": ("language: en\na: 1", "language: en\na: 2", "language: [en, de]\na: 1", "language:\n- en\n- de\na: 2\n"),
    "languages on both sides": ("language: en", "language: [en, fr]", "language: [en, de]", "language:\n- en\n- fr\n- de\n"),
    "the first tags": ("a: 1", "a: 2\ntags: [x]", "a: 1\ntags: [y]", "a: 2\ntags:\n- x\n- y\n"),
    "a text like a number": ("a: 1", "a: 2", "a: 1\nb: '1e3'", "a: 2\nb: '1e3'\n"),
    "only a comment": ("a: 1", "a:  2  # as it was written", "a: 1 # mine", "a:  2  # as it was written\n"),
    "nothing new": ("a: 1", "a: 1", "b: 7   # mine", "b: 7   # mine\n"),
}


@pytest.mark.parametrize("name", HEADS)
def test_metadata(name: str) -> None:
    base, ours, theirs, merged = HEADS[name]
    cards = [f"---\n{yaml}\n---\ntext\n" for yaml in (base, ours, theirs)]
    assert merge(*cards) == Merged(f"---\n{merged}---\ntext\n")


CONFLICTS = {
    "a value": ("a: 1", "a: 2", "a: 3", Conflict("metadata 'a'", '"3"', '"2"')),
    "a value taken out": ("a: 1\nb: 1", "a: 2\nb: 1", "b: 1", Conflict("metadata 'a'", "nothing", '"2"')),
    "a nested value": ("w: [{t: 1}]", "w: [{t: 2}]", "w: [{t: 1}, {t: 3}]", Conflict("metadata 'w'", "\"[{'t': 1}, {'t': 3}]\"", "\"[{'t': 2}]\"")),
    "hurt": ("a: 1", "a: 2", "a: [", Conflict("metadata", None, '"the rendered metadata"')),  # type: ignore[arg-type]
    "aliases": (
        "a: 1",
        "a: 2",
        "a: &x [1]\nb: *x",
        Conflict("metadata", '"the front matter is no YAML that JSON could hold: aliases a…"', '"the rendered metadata"'),
    ),
    "no mapping": ("a: 1", "a: 2", "- a", Conflict("metadata", '"the front matter is no YAML mapping"', '"the rendered metadata"')),
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_metadata_in_conflict(name: str) -> None:
    base, ours, theirs, conflict = CONFLICTS[name]
    cards = [f"---\n{yaml}\n---\ntext\n" for yaml in (base, ours, theirs)]
    merged = merge(*cards)
    assert merged.text == cards[1]
    assert [(one.where, one.ours) for one in merged.conflicts] == [(conflict.where, conflict.ours)]
    assert merged.conflicts[0].theirs == (conflict.theirs or merged.conflicts[0].theirs)


def test_a_conflict_is_told_on_one_line() -> None:
    assert str(merge(*MERGES["a number of its own"][:3]).conflicts[0]) == 'line 11: there "Kept: 999", new "Kept: 900"'


cards = st.lists(st.sampled_from("abc"), min_size=1, max_size=8).map(lambda lines: "".join(f"{line}\n" for line in lines))


@given(cards, cards, cards)
@settings(max_examples=300, deadline=None)
def test_whatever_the_lines(base: str, ours: str, theirs: str) -> None:
    assert merge(base, base, theirs) == Merged(theirs)
    assert merge(base, ours, base) == Merged(ours)
    assert merge(base, ours, ours) == Merged(ours)
    merged = merge(base, ours, theirs)
    if not merged.conflicts:
        assert sorted(merge(base, theirs, ours).text) == sorted(merged.text)


def test_the_owners_words_outlive_any_number_of_publishes() -> None:
    words = "My bot, my words.\n\n"
    last, card = CARD, CARD.replace("## Training", words + "## Training")
    for number in range(20):
        new = CARD.replace("864", str(number)).replace("1.25", str(number / 10))
        merged = merge(last, new, card)
        assert merged == Merged(new.replace("## Training", words + "## Training"))
        last, card = new, merged.text
