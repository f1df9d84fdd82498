"""Names, posts, generated texts and machines that try to be more than text.

Each stays text, wherever the card puts it.
"""

import os
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from huggingface_hub import HfApi
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from PIL import Image
from playwright.sync_api import expect

from hubtweets.card import figures, metadata, model_card
from hubtweets.card.card_parser import parse_front_matter, strip_front_matter
from hubtweets.card.hub_schema import find_faults
from hubtweets.hub.pages import sanitize
from hubtweets.models import base
from hubtweets.posts.example import x_archive
from hubtweets.posts.post import Profile
from hubtweets.record.run_record import License, Row, RunRecord, Terms, Tracked
from hubtweets.record.samples import Overlap, Sample
from hubtweets.text import to_plain_text
from tests.browser import PageLog, start_chromium
from tests.hostile import HOSTILE, PIECES
from tests.records import RECORD

PLACE = "/huggingtweets/lyons____"
TEXTS = (
    st.sampled_from(HOSTILE)
    | st.text(max_size=200)
    | st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=12).map("".join)
)
FOREIGN = (
    "name",
    "bio",
    "post",
    "prompt",
    "rest",
    "base",
    "device",
    "version",
    "tracker",
    "license",
    "link",
    "precision",
)
EXAMPLES = int(os.environ.get("CORRUPT", "150"))
LINKING = MarkdownIt("gfm-like", {"html": True})  # as markdown-it's users have it, with linkify-it
TABLES = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def hostile(texts: dict[str, str]) -> RunRecord:
    """Return a record that has foreign texts wherever a record can have one."""
    profile = replace(
        RECORD.profiles[0],
        name=texts["name"],
        bio=texts["bio"],
        url=f"https://x.example/{texts['link']}",
    )
    link = f"https://license.example/{texts['link'][:80]}"  # a longer one is left out
    written = Sample(texts["prompt"], texts["prompt"] + texts["rest"], Overlap(0, 0, 0.0))
    return replace(
        RECORD,
        profiles=(profile,),
        dataset=replace(
            RECORD.dataset, rows=(Row("lyons____", texts["post"]), Row("lyons____", texts["rest"]))
        ),  # type: ignore[type-var]
        base=replace(  # type: ignore[type-var]
            RECORD.base,
            id=texts["base"],
            revision=f"r{texts['version']}",
            on_hub=False,
        ),
        environment=replace(  # type: ignore[type-var]
            RECORD.environment,
            device=texts["device"],
            versions={texts["version"]: texts["version"]},
            mixed_precision=texts["precision"],
        ),
        tracked=(
            Tracked("wandb", "train", f"https://wandb.example/{texts['tracker']}"),
            Tracked("trackio", "train", texts["tracker"]),
        ),
        terms=Terms(
            base.parse_license(
                {"license": "other", "license_name": texts["license"], "license_link": link}, None
            )
            or License("mit")
        ),
        samples=replace(
            RECORD.samples,
            samples=(written, Sample("", texts["rest"], Overlap(0, 0, 0.0))),
            picked=(1, 2),
        ),  # type: ignore[type-var]
    )


class Elements(HTMLParser):
    """The elements of a page: names and attributes.

    Of a link it keeps the host, since the rest is foreign, and of a picture no description.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        kept = {name: value for name, value in attributes if name != "alt"}
        self.found.append(
            (tag, kept | ({"href": urlsplit(kept["href"] or "").netloc} if "href" in kept else {}))
        )


def elements(text: str) -> list[tuple[str, dict[str, str | None]]]:
    found = Elements(sanitize.render_card(strip_front_matter(text), PLACE).html).found
    return [
        one for one in found if one[0] not in ("b", "wbr")
    ]  # an empty prompt has no <b>; a <wbr> splits what would be a link


def links(text: str) -> list[list[str | None]]:
    """Return the hosts that a card links to, by cmark-gfm, as on GitHub, and markdown-it."""
    gfm = cmarkgfm.markdown_to_html_with_extensions(
        strip_front_matter(text), Options.CMARK_OPT_UNSAFE, ["table", "strikethrough", "autolink"]
    )
    return [
        [attributes["href"] for tag, attributes in Elements(page).found if tag == "a"]
        for page in (gfm, LINKING.render(strip_front_matter(text)))
    ]


def tables(text: str) -> list[list[str]]:
    """Return the rows of a card's tables: what stands in their cells, as it reads."""
    rows: list[list[str]] = []
    for before, token in pairwise(TABLES.parse(strip_front_matter(text))):
        if before.type == "tr_open":
            rows.append([])
        if before.type in ("td_open", "th_open"):
            rows[-1].append(
                "".join(child.content for child in token.children or () if child.type == "text")
            )
    return rows


TAME = model_card.render(hostile(dict.fromkeys(FOREIGN, "tame")))
TAME_ELEMENTS, TAME_LINKS, TAME_COLUMNS = (
    elements(TAME),
    links(TAME),
    [len(row) for row in tables(TAME)],
)


def check(texts: dict[str, str]) -> None:
    """See that the card of a hostile record is the tame card with other words."""
    record = hostile(texts)
    text = model_card.render(record)
    front = parse_front_matter(text)
    assert front == metadata.build_metadata(record) and find_faults(front, "model") == []
    assert [one["output"]["text"] for one in front["widget"]] == [
        to_plain_text(texts["prompt"] + texts["rest"]),
        to_plain_text(texts["rest"]),
    ]
    assert set(front) <= set(metadata.KEYS)
    rows = tables(text)
    assert [len(row) for row in rows] == TAME_COLUMNS
    prompt, rest = (
        to_plain_text(texts["prompt"], model_card.MAX_POST_CHARS),
        to_plain_text(texts["rest"], model_card.MAX_POST_CHARS),
    )
    space = " " if prompt and texts["rest"][:1].isspace() else ""
    start = next(index for index, row in enumerate(rows) if row[0].startswith("Prompts in bold"))
    assert [row[0] for row in rows[start + 1 : start + 3]] == [
        f"{prompt}{space}{rest}".strip(),
        rest,
    ]
    assert elements(text) == TAME_ELEMENTS
    assert links(text) == TAME_LINKS


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_a_text_that_stands_everywhere(text: str) -> None:
    check(dict.fromkeys(FOREIGN, text))


def test_a_picture_is_described_without_elements() -> None:
    text = model_card.render(
        hostile(dict.fromkeys(FOREIGN, "tame") | {"base": "a <b> www.evil.example"})
    )
    [line] = [line for line in text.splitlines() if line.startswith("![") and "fine-tuned" in line]
    assert "a &lt;b> www.evil.example fine-tuned on them](" in line


def test_hostile_records() -> None:
    """`make test CORRUPT=5000` tries as many."""

    @seed(0)
    @settings(
        max_examples=EXAMPLES,
        report_multiple_bugs=False,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.fixed_dictionaries(dict.fromkeys(FOREIGN, TEXTS)))
    def render(texts: dict[str, str]) -> None:
        check(texts)

    render()


def test_hostile_thumbnails(tmp_path: Path) -> None:
    (tmp_path / "avatar.png").write_bytes(x_archive.draw_avatar())

    @seed(0)
    @settings(
        max_examples=EXAMPLES // 10,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.fixed_dictionaries(dict.fromkeys(FOREIGN, TEXTS)))
    def draw(texts: dict[str, str]) -> None:
        (tmp_path / "predictions.png").write_bytes(figures.draw_thumbnail(hostile(texts), tmp_path))
        with Image.open(tmp_path / "predictions.png") as picture:
            assert picture.size == (1200, 630)

    draw()


def test_a_browser_runs_nothing_of_it(hub: tuple[str, str]) -> None:
    """One page with every hostile text in it, as names, posts and samples."""
    texts = [text for text in HOSTILE if text]
    authors = [Profile(f"a{number}", text) for number, text in enumerate(texts)]
    record = replace(
        hostile(dict.fromkeys(FOREIGN, texts[0])),
        profiles=tuple(authors),
        sources=RECORD.sources * len(authors),
        counts=tuple(replace(RECORD.counts[0], handle=author.handle) for author in authors),
        passes=(1.0,) * len(authors),
        metrics_by_author=RECORD.metrics_by_author * len(authors),
        dataset=replace(
            RECORD.dataset, rows=tuple(Row(author.handle, author.name) for author in authors)
        ),  # type: ignore[type-var]
        samples=replace(  # type: ignore[type-var]
            RECORD.samples,
            samples=tuple(Sample(text, text + text[:1000], Overlap(0, 0, 0.0)) for text in texts),
            picked=tuple(range(1, len(texts) + 1)),
        ),
    )
    api = HfApi(endpoint=hub[0], token=hub[1])
    api.create_repo("huggingtweets/lyons____")
    api.upload_file(
        path_or_fileobj=model_card.render(record).encode(),
        path_in_repo="README.md",
        repo_id="huggingtweets/lyons____",
    )
    with start_chromium() as browser, browser.new_context() as context:
        seen, page = PageLog(context), context.new_page()
        page.goto(f"{hub[0]}{PLACE}")
        expect(page.get_by_text("AI CYBORG")).to_be_visible()
        for summary in page.locator("summary").all():
            summary.click()
        page.wait_for_load_state("networkidle")
        assert (
            page.evaluate(
                "document.querySelectorAll('article script, article [onerror], "
                "article [href^=javascript]').length"
            )
            == 0
        )
        assert (
            page.url == f"{hub[0]}{PLACE}"
            and [fault for fault in seen.faults if "404" not in fault] == []
        )
        assert [url for url in seen.requests if not url.startswith(hub[0])] == []
