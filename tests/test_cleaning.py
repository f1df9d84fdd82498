"""What is cut out of a text: links and what led to them, others' words, invisible characters."""

import pytest

from hubtweets.curation.cleaning import Cleaned, clean
from hubtweets.posts.links import remove_links, remove_short_links, tidy_up
from hubtweets.posts.post import Kind, Post

LINKS = [
    ("see github.com/user/b... now", "see   now"),
    ("docs.python.org/3/library/te...", " "),
    ("docs.python.org/3/library/te…", " "),
    ("(bit.ly/x)", "( )"),
    ("look: youtu.be/abc?t=5, nice", "look:  , nice"),
    ("看github.com/xを見た", "看 を見た"),
    ("...x.com/a", "... "),
    ("docs.rs/serde is good", "  is good"),
    ("9gag.com/x and foo.com/...", "  and  "),
    ("Größe.de/x and FOO-bar.co.uk/y", "  and  "),
    ("https://example.com/a… and www.example.com", "  and  "),
]
NO_LINKS = [
    "node.js and node.js/express",
    "e.g./i.e. and/or, w.r.t./a.k.a.",
    "Ph.D or Ph.D/MD",
    "3.5/5 stars, v1.0/v2.0, 1.st/2.nd",
    "main.rs/lib.rs and setup.py/tox.ini and README.md/CHANGELOG.md",
    "end.Then/now, yes.No/Maybe, and.or/if.then",
    "I bought it on amazon.com",
    "U.S./UK and U.S.A./Canada at 9 p.m./a.m.",
    "bob@example.org/x and @alice.bsky.social/x",
    "src/main.com/x, 127.0.0.1/24, HTTP/1.1, 10.5km/h, image.png/jpg",
]


@pytest.mark.parametrize(("text", "expected"), [*LINKS, *((text, text) for text in NO_LINKS)])
def test_links_are_removed_with_or_without_their_scheme(text: str, expected: str) -> None:
    assert remove_links(text) == (expected, text != expected)


# texts out of which a link was cut
LEFTOVERS = [
    ("my new post - ", "my new post"),
    ("My new post- ", "My new post"),
    ("my new post: ", "my new post"),
    ("my new post 👉🏽 ", "my new post"),
    ("my new post ⬇️:\n", "my new post"),
    ("my new post -> ", "my new post"),
    ("my new post (", "my new post"),
    ("my new post () is up", "my new post is up"),
    ("my new post (via )", "my new post"),
    ("my new post （）です", "my new post です"),
    ("see , it is up .", "see, it is up."),
    ("13. . - : - my new post", "13. . - : my new post"),
    (" - my new post", "my new post"),
    (": my new post", ": my new post"),  # no link stood before it
    ("- my first point ", "- my first point"),
    (" :) my new post", ":) my new post"),
    ("-5 degrees :-) ", "-5 degrees :-)"),
    ("why -_- ", "why -_-"),
    ("oh no D: ", "oh no D:"),
    ("call foo() and wait ... ", "call foo() and wait ..."),
    ("Bonjour ! <3 ", "Bonjour ! <3"),
    ("«quoted text» 🛠️", "«quoted text» 🛠️"),
]


@pytest.mark.parametrize(("text", "expected"), LEFTOVERS)
def test_what_led_to_a_link_goes_with_it(text: str, expected: str) -> None:
    assert tidy_up(text) == expected


BIOS = [
    ("I fix. https://t.co/abc", "I fix."),
    ("I fix:\nhttp://t.co/abc | and bake", "I fix: and bake"),
    ("I fix -\nhttps://example.org", "I fix -\nhttps://example.org"),
    ("https://t.co/abc", None),
    (None, None),
]


@pytest.mark.parametrize(("bio", "expected"), BIOS)
def test_a_bio_has_no_short_links(bio: str | None, expected: str | None) -> None:
    assert remove_short_links(bio) == expected


@pytest.mark.parametrize("text", ["my point:", "a , b () -", "👉"])
def test_a_text_without_a_link_is_not_tidied(text: str) -> None:
    assert clean(Post("1", text), keep_mentions=False) == Cleaned(text, False)
    assert clean(Post("1", text, link=True), keep_mentions=False) != Cleaned(text, True)


OTHERS = [
    ("YES RT @X NO.", "YES"),
    ("so true RT: @X: foo bar", "so true"),
    ("so true RT @user@host.example foo bar", "so true"),
    ("so true :( // RT @X: foo bar", "so true :("),
    ("so true - rt @X: foo bar", "so true"),
    ("so true MT @X: foo bar", "so true"),
    ("so true “@X: foo bar”", "so true"),
    ('so true "RT @X: foo bar"', "so true"),
    ("Please! RT @X the dog needs homes", "Please!"),
    ("> what they said\nso true", "so true"),
    ("so true\n > > what they said\n> and more\nit is", "so true it is"),
    ("> what they said", ""),
]
OWN = [
    "Please RT @dogs needs homes",
    "follow and RT @dogs to win",
    "thanks for the RT @bob !",
    "thanks RT @bob",
    "Moving to Missoula, MT @home_depot here I come",
    "ART @ the museum",
    "to enter: RT @brand's post now",
    "> 5 people came",
    ">  5 people came",
    ">:( so they say",
    "so -> true",
]


@pytest.mark.parametrize(("text", "expected"), OTHERS)
def test_the_words_of_others_are_cut_out(text: str, expected: str) -> None:
    assert clean(Post("1", text), keep_mentions=False) == Cleaned(expected, False, has_quote=True)


@pytest.mark.parametrize("text", OWN)
def test_a_request_and_a_comparison_stay(text: str) -> None:
    assert clean(Post("1", text), keep_mentions=False) == Cleaned(" ".join(text.split()), False)


@pytest.mark.parametrize("text", ["RT @X foo", "RT @a@b.example foo", "RT: @X: foo", "rt @X: foo"])
def test_a_repost_by_hand(text: str) -> None:
    assert clean(Post("1", text), keep_mentions=False) == Cleaned("", False, is_repost=True)


MENTIONS = [
    ("@bob: so true", "so true"),
    ("@bob, @carol: so true", "so true"),
    (".@bob@host.example,so true", "so true"),
    ("@bob：@carol、本当にそう", "本当にそう"),
    ("@bob's cat", "@bob's cat"),
]


@pytest.mark.parametrize(("text", "expected"), MENTIONS)
@pytest.mark.parametrize("kind", ["reply", "self_reply"])
def test_the_mentions_that_lead_a_reply_go(text: str, expected: str, kind: Kind) -> None:
    assert clean(Post("1", text, kind=kind), keep_mentions=False).text == expected
    assert clean(Post("1", text, kind=kind), keep_mentions=True).text == text


INVISIBLE = [
    ("so\u200b tr\u2060ue\ufeff\u200e", "so true"),
    ("\u2066@bob\u2069 so tr\u00adue", "@bob so true"),
    ("a\u200db a\u200cb", "ab ab"),
    ("👩\u200d🔧 🏳️\u200d🌈 👩🏽\u200d⚕️", "👩\u200d🔧 🏳️\u200d🌈 👩🏽\u200d⚕️"),
    ("می\u200cخواهم क्\u200dष", "می\u200cخواهم क्\u200dष"),
]


@pytest.mark.parametrize(("text", "expected"), INVISIBLE)
def test_invisible_characters_go_where_no_script_needs_them(text: str, expected: str) -> None:
    assert clean(Post("1", text), keep_mentions=False).text == expected
