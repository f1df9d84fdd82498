"""The links and the citation by which a reader passes a bot on, with hostile handles too."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from markdown_it import MarkdownIt

from hubtweets.card import model_card, sharing
from hubtweets.card.card_parser import strip_front_matter
from hubtweets.posts.post import Profile
from hubtweets.record.run_record import RunRecord, Target
from hubtweets.text import to_plain_text
from tests.hostile import HOSTILE
from tests.records import RECORD, cyborg

URL = "https://huggingface.co/huggingtweets/lyons____"
MAX_WORDS = 600  # of the example's card; the original's has 249


def named(handle: str) -> RunRecord:
    return replace(RECORD, profiles=(replace(RECORD.profiles[0], handle=handle),))


def test_the_links_of_one_author() -> None:
    assert sharing.list_share_values(RECORD) == {
        "x": "https://x.com/intent/post?text=Meet%20the%20AI%20bot%20of%20%40lyons____%2C%20made"
        "%20with%20hubtweets&url=https%3A%2F%2Fhuggingface.co%2Fhuggingtweets%2Flyons____",
        "bluesky": "https://bsky.app/intent/compose?text=Meet%20the%20AI%20bot%20of%20%40lyons____"
        "%2C%20made%20with%20hubtweets%20https%3A%2F%2Fhuggingface.co%2Fhuggingtweets%2Flyons____",
        "follow": [("@lyons____", "https://x.com/intent/follow?screen_name=lyons____")],
        "citation": r"""@misc{lyons____,
  author = {huggingtweets},
  title = {AI bot of @lyons\_\_\_\_},
  url = {https://huggingface.co/huggingtweets/lyons____}
}""",
    }


@pytest.mark.parametrize("handle", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_a_hostile_handle_stays_in_its_place(handle: str) -> None:
    values = sharing.list_share_values(named(handle))
    text = to_plain_text(
        f"Meet the AI bot of @{handle}, made with hubtweets", sharing.MAX_POST_CHARS
    )
    for link, host, wanted in (
        (values["x"], "x.com", {"text": [text], "url": [URL]}),
        (values["bluesky"], "bsky.app", {"text": [f"{text} {URL}"]}),
        (values["follow"][0][1], "x.com", {"screen_name": [to_plain_text(handle)]}),
    ):
        parts = urlsplit(link)
        assert (parts.scheme, parts.netloc, parts.fragment) == ("https", host, "")
        assert parse_qs(parts.query) == {name: text for name, text in wanted.items() if text[0]}
        [token] = MarkdownIt().parseInline(f"[a]({link})")[0].children[:1]  # type: ignore[index]
        assert token.attrs["href"] == link
    lines = values["citation"].splitlines()
    assert len(lines) == 5 and [line.count("{") - line.count("}") for line in lines[1:4]] == [0] * 3


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://x.com/lyons____", "https://x.com/intent/follow?screen_name=bob"),
        ("https://twitter.com/lyons____", "https://x.com/intent/follow?screen_name=bob"),
        ("https://bsky.app/profile/bob.example", "https://bsky.app/profile/bob.example"),
        ("https://x.com.evil.example/a", "https://x.com.evil.example/a"),
        ("javascript:alert(1)", None),
        (None, None),
    ],
)
def test_an_author_is_followed_where_the_account_is(url: str | None, expected: str | None) -> None:
    assert sharing.find_follow_link(Profile("bob", "Bob", url=url)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b & 5 % #1", r"a\_b \& 5 \% \#1"),
        ("}{", r"\char125 \char123 "),
        ("\\input{x}^~", r"\char92 input\char123 x\char125 \char94 \char126 "),
    ],
)
def test_tex_reads_no_command(text: str, expected: str) -> None:
    assert sharing.escape_tex(text) == expected


def test_the_project_and_its_notebook_are_linked_where_they_have_an_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "Built with hubtweets 0.1.0," in model_card.render(RECORD)
    assert "in a notebook" not in model_card.render(RECORD)
    monkeypatch.setattr(sharing, "PROJECT_URL", "https://project.example")
    monkeypatch.setattr(sharing, "NOTEBOOK_URL", "https://notebook.example")
    assert (
        "Built with [hubtweets](https://project.example) 0.1.0, after [huggingtweets]"
        "(https://github.com/borisdayma/huggingtweets) by Boris Dayma. Make your own: "
        "`uvx hubtweets publish your_handle`, or [in a notebook](https://notebook.example).\n"
    ) in model_card.render(RECORD)


def test_colab_opens_what_is_on_hugging_face() -> None:
    local = replace(RECORD, target=Target("http://127.0.0.1:8086", "me/bot"))
    assert f"[Open it in Colab]({URL}/colab)\n" in model_card.render(RECORD)
    assert "/colab" not in model_card.render(local)


def test_several_authors_are_one_cyborg() -> None:
    assert "@lyons____ and @bob, made" in parse_qs(
        urlsplit(sharing.list_share_values(cyborg())["x"]).query
    )["text"][0].replace("Meet the AI bot of ", "")


def test_the_card_is_short() -> None:
    from tests.test_card import CARDS

    card = (CARDS / "lyons____.md").read_text(encoding="utf-8")
    assert len(strip_front_matter(card).split()) < MAX_WORDS
