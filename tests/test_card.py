from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest
import yaml
from huggingface_hub import ModelCard, ModelCardData

from hubtweets import card
from hubtweets.errors import HubtweetsError
from hubtweets.hub import pages
from hubtweets.posts import SourceKind
from hubtweets.record import stats_rows
from hubtweets.rendering import plain
from tests.hostile import HOSTILE
from tests.records import RECORD, cyborg, named, saying

EXPECTED = Path(__file__).parent / "card.md"  # looked at once by a person; `python -m tests.test_card` writes it anew


def metadata(text: str) -> dict:
    return yaml.safe_load(text.split("---\n")[1])


def visible(text: str) -> str:
    """Return a card's text as a reader sees it, by way of the page that shows it."""
    words: list[str] = []
    parser = HTMLParser(convert_charrefs=True)
    parser.handle_data = words.append  # type: ignore[method-assign, assignment]
    parser.feed(pages.render_card(text, "huggingtweets/lyons____"))
    return " ".join("".join(words).split())


def test_the_whole_card() -> None:
    assert card.render(RECORD) == EXPECTED.read_text(encoding="utf-8")


def test_the_front_matter_survives_the_clients_own_round_trip() -> None:
    front = card.front_matter(RECORD)
    assert ModelCardData(**yaml.safe_load(front)).to_dict() == yaml.safe_load(front)
    assert ModelCard(card.render(RECORD)).data.to_dict() == yaml.safe_load(front)


def test_what_is_not_known_is_left_out() -> None:
    local = replace(
        RECORD,
        base=replace(RECORD.base, id="tiny", on_hub=False, license=None),  # type: ignore[type-var]
        dataset=replace(RECORD.dataset, languages={}, split="hash"),  # type: ignore[type-var]
        sources=(replace(RECORD.sources[0], first=None, last=None, kind="jsonl"),),
        profiles=(replace(RECORD.profiles[0], avatar=None, url=None),),
    )
    text = card.render(local)
    assert list(metadata(text)) == ["library_name", "pipeline_tag", "thumbnail", "tags", "widget"]
    assert "avatar" not in text and " from 2019" not in text and "None" not in text and "x.com" not in text
    assert "One post in ten is kept aside" in text


def test_two_authors_stand_side_by_side() -> None:
    text = card.render(cyborg())
    shown = visible(text)
    assert text.count("<img ") == 2 and "Lyons__ 𝓃 🤖 & Bob | B AI CYBORG @lyons____-bob bot" in shown
    assert "posts from 2019-03-01 to 2026-06-24 and @bob's posts." in shown
    assert "| Data | @lyons&#95;&#95;&#95;&#95; | @bob |\n| --- | --- | --- |\n| Tweets downloaded | 3086 | 420 |\n| Retweets | 1225 | 0 |\n" in text
    assert "In 2 of the kept ones an e-mail address or a phone number is masked." in shown
    assert "an epoch passes 0.80 times over @lyons____'s posts and 1.70 times over @bob's posts." in shown
    assert "an X archive and the Bluesky API" in shown


def test_several_languages_are_a_list() -> None:
    record = replace(RECORD, dataset=replace(RECORD.dataset, languages={"en": 0.7, "de": 0.3}))  # type: ignore[type-var]
    assert metadata(card.render(record))["language"] == ["en", "de"]


def test_every_kind_of_source_has_a_name() -> None:
    assert set(get_args(SourceKind)) == set(card.KINDS)


def test_rows_that_are_not_zero_appear() -> None:
    counts = replace(RECORD.counts[0], private=3, superseded=2, short=992)
    assert stats_rows([counts]) == [
        ("Tweets downloaded", [3086]),
        ("Retweets", [1225]),
        ("Not public", [3]),
        ("Older versions of edited tweets", [2]),
        ("Short tweets", [992]),
        ("Tweets kept", [864]),
    ]


@pytest.mark.parametrize("section", ["dataset", "training", "metrics", "samples"])
def test_a_run_that_is_not_that_far_gets_one_line(section: str) -> None:
    with pytest.raises(HubtweetsError, match=rf"^@lyons____ has no {section} to show yet; type: hubtweets (curate|train|sample) lyons____$"):
        card.render(replace(RECORD, **{section: None}))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_a_hostile_name_is_text(name: str) -> None:
    text = card.render(named(name))
    assert metadata(text) == metadata(card.render(RECORD))
    assert visible(text) == visible(card.render(RECORD)).replace("Lyons__ 𝓃 🤖", plain(name, 100) or "lyons____")
    assert text.count("\n") == card.render(RECORD).count("\n")


@pytest.mark.parametrize("said", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_a_hostile_post_is_text(said: str) -> None:
    text = card.render(saying(said))
    widget = metadata(text)["widget"][0]
    assert widget == {"text": plain(said), "output": {"text": plain(f"{said} and so on")}}
    assert {key: value for key, value in metadata(text).items() if key != "widget"} == {
        key: value for key, value in metadata(card.render(RECORD)).items() if key != "widget"
    }
    assert visible(text) == visible(card.render(RECORD))


if __name__ == "__main__":
    EXPECTED.write_text(card.render(RECORD), encoding="utf-8")
