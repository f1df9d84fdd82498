"""The merge of a card with what its owner wrote into it."""

import os
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hubtweets.card.card_parser import parse_front_matter, strip_front_matter
from hubtweets.card.merge import MAX_LINES, Conflict, MergedCard, merge
from hubtweets.hub.errors import HubError

HEAD = "---\nlicense: mit\ntags:\n- huggingtweets\nwidget:\n- text: My dream is\n---\n"
BODY = "\n# @bot\n\nKept: 864\n\n## Training\n\nLoss: 1.25\n"
NEWER = BODY.replace("864", "900").replace("1.25", "1.10")
CARD, NEW = HEAD + BODY, HEAD + NEWER

MERGES = {
    "nothing edited": (CARD, NEW, CARD, MergedCard(NEW)),
    "nothing new": (CARD, CARD, CARD + "\nMine.\n", MergedCard(CARD + "\nMine.\n")),
    "a paragraph between": (
        CARD,
        NEW,
        CARD.replace("## Training", "My bot, my words.\n\n## Training"),
        MergedCard(NEW.replace("## Training", "My bot, my words.\n\n## Training")),
    ),
    "a paragraph at the end, and Windows' line ends": (
        CARD,
        NEW,
        (CARD + "\nMine.").replace("\n", "\r\n"),
        MergedCard(NEW + "\nMine.\n"),
    ),
    "a line before, a line after": (
        CARD,
        NEW,
        f"{HEAD}First.\n{BODY}Last.\n",
        MergedCard(f"{HEAD}First.\n{NEWER}Last.\n"),
    ),
    "right before, right after": (
        CARD,
        NEW,
        CARD.replace("Kept: 864", "Mine.\nKept: 864").replace("Loss: 1.25", "Loss: 1.25\nMine."),
        MergedCard(
            NEW.replace("Kept: 900", "Mine.\nKept: 900").replace("Loss: 1.10", "Loss: 1.10\nMine.")
        ),
    ),
    "lines at one place": (
        CARD,
        CARD + "New.\n",
        CARD + "Mine.\n",
        MergedCard(CARD + "New.\nMine.\n"),
    ),
    "a line taken out": (
        CARD,
        CARD.replace("864", "900"),
        CARD.replace("Loss: 1.25\n", ""),
        MergedCard(NEW.replace("Loss: 1.10\n", "")),
    ),
    "the same on both sides": (CARD, NEW, CARD.replace("864", "900"), MergedCard(NEW)),
    "a number of its own": (
        CARD,
        NEW,
        CARD.replace("864", "999"),
        MergedCard(NEW, (Conflict("line 11", '"Kept: 999"', '"Kept: 900"'),)),
    ),
    "a changed line taken out": (
        CARD,
        NEW,
        CARD.replace("Loss: 1.25\n", ""),
        MergedCard(NEW, (Conflict("line 15", "nothing", '"Loss: 1.10"'),)),
    ),
    "a hostile line": (
        CARD,
        NEW,
        CARD.replace("Kept: 864", "\x1b[2J" + "x" * 99),
        MergedCard(NEW, (Conflict("line 11", '"\ufffd[2J' + "x" * 55 + '…"', '"Kept: 900"'),)),
    ),
    "no card yet": (None, NEW, "", MergedCard(NEW)),
    "the Hub's own card": (None, NEW, "---\nlicense: apache-2.0\n---\n", MergedCard(NEW)),
    "a stranger's card": (
        None,
        "# New\n",
        "# Old\n",
        MergedCard("# New\n", (Conflict("the whole card", '"# Old"', '"# New"'),)),
    ),
    "the same card of an unknown hand": (None, NEW, NEW, MergedCard(NEW)),
    "far too many lines": (
        CARD,
        "# New\n",
        "x\n" * (MAX_LINES + 1),
        MergedCard("# New\n", (Conflict("the whole card", '"' + "x " * 29 + 'x…"', '"# New"'),)),
    ),
}


@pytest.mark.parametrize("name", MERGES)
def test_merge(name: str) -> None:
    base, ours, theirs, merged = MERGES[name]
    assert merge(base, ours, theirs) == merged


# base, ours and theirs as YAML, and what comes out
HEADS = {
    "a key of the owner's": (
        "a: 1\nb: 1",
        "a: 2\nb: 1",
        "a: 1\nb: 1\nmine: [x, {y: no}]",
        "a: 2\nb: 1\nmine: [x, {y: no}]\n",
    ),
    "a value of the owner's": ("a: 1\nb: 1", "a: 2\nb: 1", "a: 1\nb: 7", "a: 2\nb: 7\n"),
    "a key taken out": ("a: 1\nb: 1", "a: 2\nb: 1", "a: 1", "a: 2\n"),
    "tags on both sides": (
        "tags: [x, y, z]",
        "tags: [x, w, y, z]",
        "tags: [mine, x, z]",
        "tags: [mine, x, z, w]\n",
    ),
    "a language more": (
        "language: en\na: 1",
        "language: en\na: 2",
        "language: [en, de]\na: 1",
        "language: [en, de]\na: 2\n",
    ),
    "languages on both sides": (
        "language: en",
        "language: [en, fr]",
        "language: [en, de]",
        "language: [en, de, fr]\n",
    ),
    "the first tags": ("a: 1", "a: 2\ntags: [x]", "a: 1\ntags: [y]", "a: 2\ntags: [y, x]\n"),
    "tags that the owner took out": ("tags: [x]", "tags: [x, y]", "a: 1", "a: 1\ntags:\n- y\n"),
    "no tag left": ("tags: [x, y]", "tags: [x]", "tags: [y]", "tags: []\n"),
    "a text like a number": ("a: 1", "a: 2", "a: 1\nb: '1e3'", "a: 2\nb: '1e3'\n"),
    "only a comment": (
        "a: 1",
        "a:  2  # as it was written",
        "a: 1 # mine",
        "a:  2  # as it was written\n",
    ),
    "nothing new": ("a: 1", "a: 1", "b: 7   # mine", "b: 7   # mine\n"),
}


@pytest.mark.parametrize("name", HEADS)
def test_metadata(name: str) -> None:
    base, ours, theirs, merged = HEADS[name]
    cards = [f"---\n{head}\n---\ntext\n" for head in (base, ours, theirs)]
    assert merge(*cards) == MergedCard(f"---\n{merged}---\ntext\n")


# What the owner has on the Hub, beside `license: mit`, and what becomes of it when a push changes
# the licence and adds a tag
KEPT = {
    "what YAML 1.1 reads otherwise": "version: 1.10\ncode: 01234\nat: 12:30:45\n"
    "day: 2026-01-02\nswitch: on\nlanguage: no\nsize: 1_000\nnothing: ~",
    "quotes of each kind": "a: 'it''s'\nb: \"tab\\t \\u00e9\"\nc: plain # text\n'd': x\n\"e f\": y",
    "comments before, beside and after": "# all\n\n# my version\nversion: 1.10  # released\n"
    "list:  # mine\n# inside\n- x # one\n  # deeper\n\n# end",
    "flow style": "a: {b: 1, c: [x, 'y']}\nd: [\n  1,\n  2, # two\n]\nempty: {}",
    "block scalars": "a: |\n  one\n  # no comment\n\n  two\n\n"
    "b: >-\n  folded\n  text\nc: |+\n  kept\n\n\nd: |2\n    indented",
    "texts over several lines": 'a: one\n  two\n\n  three\nb: "x\n  y"',
    "Unicode": "名前: 日本語 🤖\nключ: [значение]\nb: a\u2028  c\nd: é",
    "complex keys": "? a\n: 1\n? b\n: - x\n  - y\nc: 1",
    "values that are empty": "a:\nb: ''\nc:\n\n# mine\nd: []",
    "tabs and spaces": "a:\t1\nb:  2   \nc: x\ty",
    "lists that are not indented, and that are": "a:\n- x\n- - y\n  - z\n"
    "b:\n    - c: 1\n      d: 2\n\n    - e",
    "tags and anchors": "a: !!str 1\nb: &x y\nc: !!int '3'",
    "what looks like an end": "a: |\n  ---\n  b: 1\nb: '---'\nc: --- x",
}


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("first", [True, False])
def test_what_the_owner_wrote_stays_to_the_byte(name: str, first: bool) -> None:
    own = KEPT[name]
    theirs, merged = (
        (f"license: {of}\n{own}\n" if first else f"{own}\nlicense: {of}\n")
        for of in ("mit", "apache-2.0")
    )
    result = merge(
        "---\nlicense: mit\n---\n",
        "---\nlicense: apache-2.0\ntags:\n- x\n---\n",
        f"---\n{theirs}---\n",
    )
    assert result == MergedCard(f"---\n{merged}tags:\n- x\n---\n")


LISTS = {
    "in a block": (
        "- x\n- 1.10 # mine\n# why\n- 'no'\n- z",
        "- 1.10 # mine\n# why\n- 'no'\n- z\n- new\n- '2.0'",
    ),
    "indented": (
        "  -   x\n\n  # mine\n  -   1.10",
        "\n  # mine\n  -   1.10\n  -   new\n  -   '2.0'",
    ),
    "in brackets": ('  [x, 1.10, "a, b"]  # mine', "  [1.10, \"a, b\", new, '2.0']  # mine"),
    "in brackets over lines": ("  [\n  x, # theirs\n  01,\n  y ]", "  [\n  01, y, new, '2.0' ]"),
    "with comments before an item that goes": (
        "# a\n- x\n# b\n- y",
        "# a\n# b\n- y\n- new\n- '2.0'",
    ),
    "with a text over lines": (
        "- x\n- |\n  one\n  two\n- >-\n  y",
        "- |\n  one\n  two\n- >-\n  y\n- new\n- '2.0'",
    ),
    "with none left": ("- x # mine", "- new\n- '2.0'"),
}


@pytest.mark.parametrize("name", LISTS)
def test_items_of_the_owner_stay_as_they_are_written(name: str) -> None:
    own, merged = LISTS[name]
    base, ours = "---\ntags:\n- x\n---\n", "---\ntags:\n- new\n- '2.0'\n---\n"
    result = merge(
        base,
        ours,
        f"---\ntags:\n- w\n{own}\n---\n"
        if name == "with none left"
        else f"---\ntags:\n{own}\n---\n",
    )
    assert result.conflicts == () and result.text.endswith(f"{merged}\n---\n"), result.text


def test_metadata_after_a_byte_order_mark_stay_metadata() -> None:
    theirs = "\ufeff" + CARD.replace("license: mit", "license: mit\nversion: 1.10").replace(
        "\n", "\r\n"
    )
    assert merge(CARD, NEW, theirs) == MergedCard(
        NEW.replace("license: mit", "license: mit\nversion: 1.10")
    )
    assert merge(CARD, CARD.replace("license: mit", "license: cc0-1.0"), theirs) == MergedCard(
        CARD.replace("license: mit", "license: cc0-1.0\nversion: 1.10")
    )


CONFLICTS = {
    "a value": ("a: 1", "a: 2", "a: 3", Conflict("metadata 'a'", '"3"', '"2"')),
    "a value taken out": (
        "a: 1\nb: 1",
        "a: 2\nb: 1",
        "b: 1",
        Conflict("metadata 'a'", "nothing", '"2"'),
    ),
    "a nested value": (
        "w: [{t: 1}]",
        "w: [{t: 2}]",
        "w: [{t: 1}, {t: 3}]",
        Conflict("metadata 'w'", "\"[{'t': 1}, {'t': 3}]\"", "\"[{'t': 2}]\""),
    ),
    "corrupt": (
        "a: 1",
        "a: 2",
        "a: [",
        Conflict("metadata", None, '"the rendered metadata"'),  # type: ignore[arg-type]
    ),
    "aliases": (
        "a: 1",
        "a: 2",
        "a: &x [1]\nb: *x",
        Conflict(
            "metadata",
            '"the front matter can\'t be read as JSON: aliases are not rea…"',
            '"the rendered metadata"',
        ),
    ),
    "a merge key": (
        "a: 1",
        "a: 2",
        "a: 1\n<<: {b: 1}",
        Conflict(
            "metadata",
            '"the front matter can\'t be read as JSON: merge keys are not …"',
            '"the rendered metadata"',
        ),
    ),
    "a key twice": (
        "a: 1",
        "a: 2",
        "a: 1\nb: 1\nb: 2",
        Conflict(
            "metadata",
            "\"'b' shares a line with another key, or is repeated\"",
            '"the rendered metadata"',
        ),
    ),
    "all in braces": (
        "a: 1",
        "a: 2",
        "{a: 1, b: 2}",
        Conflict(
            "metadata",
            "\"'a' shares a line with another key, or is repeated\"",
            '"the rendered metadata"',
        ),
    ),
    "braces on lines of their own": (
        "a: 1",
        "a: 2",
        "{\na: '1',\nb: x\n}",
        Conflict("metadata", None, '"the rendered metadata"'),  # type: ignore[arg-type]
    ),
    "all of it indented": (
        "a: 1",
        "a: 1\nb: 2",
        "  a: 3",
        Conflict("metadata", None, '"the rendered metadata"'),  # type: ignore[arg-type]
    ),
    "a second document": (
        "a: 1",
        "a: 2",
        "a: 1\n--- \nb: 1",
        Conflict("metadata", None, '"the rendered metadata"'),  # type: ignore[arg-type]
    ),
    "true is not 1": ("a: 1", "a: 2", "a: true", Conflict("metadata 'a'", '"True"', '"2"')),
    "no mapping": (
        "a: 1",
        "a: 2",
        "- a",
        Conflict("metadata", '"the front matter is not a YAML mapping"', '"the rendered metadata"'),
    ),
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_metadata_in_conflict(name: str) -> None:
    base, ours, theirs, conflict = CONFLICTS[name]
    cards = [f"---\n{head}\n---\ntext\n" for head in (base, ours, theirs)]
    merged = merge(*cards)
    assert parse_front_matter(merged.text) == parse_front_matter(cards[1]) and strip_front_matter(
        merged.text
    ) == strip_front_matter(cards[1])
    assert [(one.where, one.ours) for one in merged.conflicts] == [(conflict.where, conflict.ours)]
    assert merged.conflicts[0].theirs == (conflict.theirs or merged.conflicts[0].theirs)


def test_a_conflict_is_told_on_one_line() -> None:
    assert (
        str(merge(*MERGES["a number of its own"][:3]).conflicts[0])
        == 'line 11: on the Hub "Kept: 999", new "Kept: 900"'
    )


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
COMMENTS = st.sampled_from(["", "\n", "# mine\n", "# a\n\n  # b: 1\n"])
OWN = st.lists(st.tuples(VALUES, st.booleans(), COMMENTS), max_size=4)
LICENSES = st.sampled_from(
    ["license: mit\n", "license:   'mit' # so\n", "license:\n  mit\n", '"license": "mit"\n']
)
LAST, RENDERED = "---\nlicense: mit\n---\n", "---\nlicense: cc0-1.0\ntags:\n- x\n---\n"
EXAMPLES = int(os.environ.get("CORRUPT", "80"))


def write_blocks(name: str, own: list[tuple[Any, bool, str]]) -> str:
    """Write YAML as another program would: each value in flow or block style, after comments."""
    text = ""
    for number, (value, flow, comments) in enumerate(own):
        key = f"{name}{number}"
        flowing = yaml.safe_dump(
            [value], default_flow_style=True, allow_unicode=True, width=60
        ).strip()[1:-1]
        text += comments + (
            f"{key}: {flowing}\n"
            if flow
            else yaml.safe_dump({key: value}, default_flow_style=False, allow_unicode=True)
        )
    return text


@given(OWN, LICENSES, OWN)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_keys_that_hubtweets_does_not_set_come_out_as_they_went_in(
    before: list, license: str, after: list
) -> None:
    """`make test CORRUPT=5000` tries as many."""
    first, last = write_blocks("a", before), write_blocks("b", after)
    theirs = f"---\n{first}{license}{last}---\n"
    try:
        values = parse_front_matter(theirs)
    except HubError:
        assume(False)
    result = merge(LAST, RENDERED, theirs)
    assert result == MergedCard(f"---\n{first}license: cc0-1.0\n{last}tags:\n- x\n---\n")
    assert parse_front_matter(result.text) == values | {"license": "cc0-1.0", "tags": ["x"]}


PIECES = st.sampled_from(
    [
        *KEPT.values(),
        "# mine",
        "",
        "a: |",
        "- x",
        "--- ",
        "...",
        "%YAML 1.1",
        "?",
        ": x",
        "license: mit",
        "  license: mit",
        "{",
        "}",
    ]
)


@given(st.lists(PIECES | st.text(max_size=20), max_size=5))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_the_owner_wrote(pieces: list[str]) -> None:
    """Either nothing of the owner's gets lost, or a person has to look."""
    theirs = "---\n" + "".join(f"{piece}\n" for piece in pieces) + "---\n"
    result = merge(LAST, RENDERED, theirs)
    if result.conflicts:
        return
    expected = parse_front_matter(theirs) | {"license": "cc0-1.0", "tags": ["x"]}
    assert parse_front_matter(result.text) == {
        key: value
        for key, value in expected.items()
        if key in ("tags", *parse_front_matter(theirs))
    }


cards = st.lists(st.sampled_from("abc"), min_size=1, max_size=8).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)


@given(cards, cards, cards)
@settings(max_examples=300, deadline=None)
def test_whatever_the_lines(base: str, ours: str, theirs: str) -> None:
    assert merge(base, base, theirs) == MergedCard(theirs)
    assert merge(base, ours, base) == MergedCard(ours)
    assert merge(base, ours, ours) == MergedCard(ours)
    merged = merge(base, ours, theirs)
    if not merged.conflicts:
        assert sorted(merge(base, theirs, ours).text) == sorted(merged.text)


def test_the_owners_words_outlive_any_number_of_publishes() -> None:
    words = "My bot, my words.\n\n"
    last, card = CARD, CARD.replace("## Training", words + "## Training")
    for number in range(20):
        new = CARD.replace("864", str(number)).replace("1.25", str(number / 10))
        merged = merge(last, new, card)
        assert merged == MergedCard(new.replace("## Training", words + "## Training"))
        last, card = new, merged.text
