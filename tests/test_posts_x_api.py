"""X's API as documented, replayed by a local server: requests, posts, and every error's line."""

import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from hubtweets.errors import HubtweetsError
from hubtweets.posts.post import Post, Profile, Reading
from hubtweets.posts.x import api as x_api

SECRET = "AAAA%2Fsecret%3D"
USER = {
    "id": "42",
    "username": "Alice",
    "name": "Alice 🌙",
    "description": "I fix. https://t.co/abc",
    "protected": False,
    "public_metrics": {"tweet_count": 250},
}
LOOKUP, TIMELINE = "/2/users/by/username/alice", "/2/users/42/tweets"
UTC = "2022-10-03T17:57:11+00:00"
Answer = tuple[int, dict[str, str], bytes]


def answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    return status, headers or {}, body if isinstance(body, bytes) else json.dumps(body).encode()


def tweet(id: str, text: str = "hello to the whole world", **more: Any) -> dict:
    return {
        "id": id,
        "text": text,
        "created_at": "2022-10-03T17:57:11.000Z",
        "lang": "en",
        "edit_history_tweet_ids": [id],
        **more,
    }


def page(*tweets: object, next_token: str | None = None) -> dict:
    meta = {"result_count": len(tweets)} | ({"next_token": next_token} if next_token else {})
    return {"meta": meta} | ({"data": list(tweets)} if tweets else {})


def problem(title: str, name: str, **more: Any) -> dict:
    return {
        "errors": [{"title": title, "type": f"https://api.twitter.com/2/problems/{name}", **more}]
    }


class X(ThreadingHTTPServer):
    """A server that gives each path's answers in turn, the last one forever, and logs requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Replay)
        self.answers: dict[str, list[Answer]] = {
            LOOKUP: [answer({"data": USER})],
            TIMELINE: [answer(page())],
        }
        self.asked: list[tuple[str, dict[str, str], str | None]] = []
        self.endless: Callable[[int], Answer] | None = None
        self.url = f"http://127.0.0.1:{self.server_port}"

    def next_answer(self, path: str) -> Answer:
        if self.endless and path == TIMELINE:
            return self.endless(len(self.asked))
        answers = self.answers.get(path, [answer({}, 404)])
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Replay(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        x = self.server
        assert isinstance(x, X)
        parts = urlsplit(self.path)
        x.asked.append(
            (
                parts.path,
                {key: values[0] for key, values in parse_qs(parts.query).items()},
                self.headers["Authorization"],
            )
        )
        status, headers, body = x.next_answer(parts.path)
        self.send_response(status)
        for name, value in ({"content-length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:  # hung up on, as a body that is too large is
            self.close_connection = True

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def x(monkeypatch: pytest.MonkeyPatch) -> Iterator[X]:
    for variable in x_api.TOKEN_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("X_BEARER_TOKEN", SECRET)
    server = X()
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def fetch(x: X, said: list[str] | None = None) -> Reading:
    def confirm(text: str) -> bool:
        (said if said is not None else []).append(text)
        return True

    return x_api.fetch("alice", 0.005, (said if said is not None else []).append, confirm, x.url)


def test_three_pages_and_the_price_before_them(x: X) -> None:
    x.answers[LOOKUP] = [answer({"data": USER | {"profile_image_url": f"{x.url}/p/a_normal.jpg"}})]
    x.answers["/p/a_400x400.jpg"] = [answer(b"a picture")]
    repost = tweet("3", "RT @bob: hello", referenced_tweets=[{"type": "retweeted", "id": "1"}])
    x.answers[TIMELINE] = [
        answer(page(tweet("5"), tweet("4"), next_token="b")),
        answer(page(repost, next_token="c")),
        answer(page(tweet("2"))),
    ]
    said: list[str] = []
    reading = fetch(x, said)
    hello = "hello to the whole world"
    posts = [
        Post("5", hello, UTC, "en"),
        Post("4", hello, UTC, "en"),
        Post("3", "RT @bob: hello", UTC, "en", "repost"),
        Post("2", hello, UTC, "en"),
    ]
    profile = Profile("Alice", "Alice 🌙", "X", "I fix.", "42", url="https://x.com/Alice")
    assert reading == Reading("x-api", profile, b"a picture", posts)
    assert said == [
        "@alice: up to 250 posts will be read (X gives the latest 3,200); at $0.005 a post that "
        "is $1.25, billed by X to the token's owner; "
        "one's own posts are cheaper by X's rate card",
        "Read up to 250 posts of @alice for $1.25?",
    ]
    fields = {"max_results": "100", "tweet.fields": x_api.TWEET_FIELDS}
    bearer = f"Bearer {SECRET}"
    assert x.asked == [
        (LOOKUP, {"user.fields": x_api.USER_FIELDS}, bearer),
        (TIMELINE, fields, bearer),
        (TIMELINE, fields | {"pagination_token": "b"}, bearer),
        (TIMELINE, fields | {"pagination_token": "c"}, bearer),
        ("/p/a_400x400.jpg", {}, None),  # the token is for the API alone
    ]
    assert SECRET not in repr(reading) + "".join(said)


WITHHELD = "@bob's account has been withheld in India in response to a legal demand. Learn more."
LINKED = "🌙 1 &lt; 2 https://t.co/abc &amp;amp; so"
NOTE = "a long story &amp; more https://t.co/abc"
PLACE = [{"start": 11, "end": 27, "url": "https://t.co/abc"}]
CORRUPT: list[Any] = [None, 0, "", [], {}]
ITEMS: list[tuple[dict, Post]] = [
    (tweet("5"), Post("5", "hello to the whole world", UTC, "en")),
    (
        tweet("5", LINKED, entities={"urls": PLACE}),
        Post("5", "🌙 1 < 2  &amp; so", UTC, "en", link=True),
    ),
    (
        tweet("5", LINKED, entities={"urls": [{"start": 13, "end": 29}]}),
        Post("5", "🌙 1 < 2 https://t.co/abc &amp; so", UTC, "en"),
    ),
    (
        tweet(
            "5",
            LINKED,
            entities={"urls": PLACE},
            note_tweet={"text": NOTE, "entities": {"urls": [{"start": 24, "end": 40}]}},
        ),
        Post("5", "a long story & more ", UTC, "en", link=True),
    ),
    (
        tweet("5", LINKED, entities={"urls": PLACE}, note_tweet={"text": NOTE}),
        Post("5", "a long story & more https://t.co/abc", UTC, "en"),
    ),
    (
        tweet("5", referenced_tweets=[{"type": "retweeted"}]),
        Post("5", "hello to the whole world", UTC, "en", "repost"),
    ),
    (tweet("5", "RT @bob: hello"), Post("5", "RT @bob: hello", UTC, "en", "repost")),
    (tweet("5", "RT @bob hello"), Post("5", "RT @bob hello", UTC, "en")),
    (
        tweet("5", "@b hi", referenced_tweets=[{"type": "quoted"}, {"type": "replied_to"}]),
        Post("5", "@b hi", UTC, "en", "reply"),
    ),
    (
        tweet("5", "yes", referenced_tweets=[{"type": "replied_to"}], in_reply_to_user_id="7"),
        Post("5", "yes", UTC, "en", "reply"),
    ),
    (
        tweet("5", "yes", referenced_tweets=[{"type": "replied_to"}], in_reply_to_user_id="42"),
        Post("5", "yes", UTC, "en", "self_reply"),
    ),
    (
        tweet("5", "yes", referenced_tweets=[{"type": "quoted"}]),
        Post("5", "yes", UTC, "en", "quote"),
    ),
    (
        tweet("5", WITHHELD, referenced_tweets=[{"type": "retweeted"}]),
        Post("5", "", UTC, None, "repost", "private"),
    ),
    (tweet("5", WITHHELD), Post("5", "", UTC, None, "post", "private")),
    (
        tweet("5", withheld={"copyright": False, "country_codes": ["IN"]}),
        Post("5", "", UTC, None, "post", "private"),
    ),
    (
        tweet("5", edit_history_tweet_ids=["5", "6"]),
        Post("5", "hello to the whole world", UTC, "en", superseded=True),
    ),
    (
        tweet("5", edit_history_tweet_ids=["4", "5"]),
        Post("5", "hello to the whole world", UTC, "en"),
    ),
    (tweet("5", "a \ud800 b", created_at=float("nan"), lang=7), Post("5", "a \ufffd b", None, "7")),
    *(
        (tweet("5") | {field: corrupt}, Post("5", "hello to the whole world", UTC, "en"))
        for field in (
            "entities",
            "referenced_tweets",
            "edit_history_tweet_ids",
            "note_tweet",
            "withheld",
            "in_reply_to_user_id",
            "author_id",
        )
        for corrupt in CORRUPT
    ),
    *(
        (tweet("5", entities={"urls": corrupt}), Post("5", "hello to the whole world", UTC, "en"))
        for corrupt in (
            7,
            [None],
            ["x"],
            [{"start": "1", "end": None}],
            [{"start": -1, "end": 10**400}],
            [{"start": True, "end": 1.5}],
        )
    ),
]


@pytest.mark.parametrize(("item", "expected"), ITEMS)
def test_item(item: dict, expected: Post) -> None:
    assert x_api.to_post(item, "42") == expected


def test_what_is_no_post_costs_itself(x: X) -> None:
    x.answers[TIMELINE] = [
        answer(page(None, 7, {"id": "3"}, {"text": "x"}, tweet("5"), tweet("5")))
    ]
    reading = fetch(x)
    assert (reading.posts, reading.warnings) == (
        [Post("5", "hello to the whole world", UTC, "en")],
        ["4 of the 6 items that X gave are no posts and were left out"],
    )


def test_pages_without_posts(x: X) -> None:
    x.answers[TIMELINE] = [
        answer(page(next_token="b")),
        answer(page(tweet("5"), next_token="c")),
        answer(page()),
    ]
    assert [post.id for post in fetch(x).posts] == ["5"]


def soon() -> str:
    return str(int(time.time()) - 1)


TROUBLE: dict[str, Callable[[], list[Answer]]] = {
    "rate limit": lambda: [
        answer({"title": "Too Many Requests"}, 429, {"x-rate-limit-reset": soon()}),
        answer(page(tweet("5"))),
    ],
    "unavailable twice": lambda: [
        answer(b"<html>", 503),
        answer(b"", 503),
        answer(page(tweet("5"))),
    ],
    "a cut body": lambda: [
        answer(b'{"data": [', headers={"content-length": "999"}),
        answer(page(tweet("5"))),
    ],
    "posts alone": lambda: [answer({"data": [tweet("5")]})],
    "errors beside the posts": lambda: [
        answer(page(tweet("5")) | problem("Not Found Error", "resource-not-found"))
    ],
}


@pytest.mark.parametrize("case", TROUBLE)
def test_trouble_that_passes(x: X, case: str) -> None:
    x.answers[TIMELINE] = TROUBLE[case]()
    assert [post.id for post in fetch(x).posts] == ["5"]


def test_no_more_than_3200_posts_are_read(x: X) -> None:
    def endless(number: int) -> Answer:
        first = 10**6 - 100 * number
        return answer(page(*(tweet(str(first + n)) for n in range(100)), next_token=str(number)))

    x.endless = endless
    x.answers[LOOKUP] = [answer({"data": USER | {"public_metrics": {"tweet_count": 99_999}}})]
    said: list[str] = []
    assert len(list(fetch(x, said).posts)) == 3200
    assert len(x.asked) == 1 + 32
    assert said[1] == "Read up to 3,200 posts of @alice for $16.00?"


@pytest.mark.parametrize(("number", "sizes"), [(3, ["5"]), (7, ["7"]), (205, ["100", "100", "5"])])
def test_no_more_is_paid_for_than_was_agreed_to(x: X, number: int, sizes: list[str]) -> None:
    x.endless = lambda asked: answer(
        page(*(tweet(f"{asked}{n:03}") for n in range(min(100, number))), next_token=str(asked))
    )
    x.answers[LOOKUP] = [answer({"data": USER | {"public_metrics": {"tweet_count": number}}})]
    fetch(x)
    assert [
        parameters["max_results"] for path, parameters, _ in x.asked if path == TIMELINE
    ] == sizes


def test_a_cap_is_not_waited_for(x: X) -> None:
    x.answers[TIMELINE] = [
        answer(problem("UsageCapExceeded", "usage-capped"), 429, {"x-rate-limit-reset": soon()})
    ]
    with pytest.raises(HubtweetsError):
        fetch(x)
    assert [path for path, _, _ in x.asked] == [LOOKUP, TIMELINE]


def test_without_consent_nothing_is_read(x: X) -> None:
    with pytest.raises(HubtweetsError) as caught:
        x_api.fetch("alice", 0.005, list[str]().append, lambda text: False, x.url)
    assert (
        str(caught.value)
        == f"nothing was read; to pay for it, agree (or add --yes), {x_api.FREE_ADVICE}"
    )
    assert [path for path, _, _ in x.asked] == [LOOKUP]


FREE = "or give the archive that X sends its owner for free: --posts ARCHIVE.zip"
FORBIDDEN = (
    "@alice is suspended by X; its owner can still ask X for the archive: --posts ARCHIVE.zip"
)
PROTECTED = (
    "the posts of @alice are protected: they are for its followers, and are not read; "
    "name a public account"
)
CAPPED = (
    f"the X app of X_BEARER_TOKEN has used up its posts of this month; wait for the next or "
    f"raise its cap, {FREE}"
)
REFUSALS: list[tuple[str, str, Answer, str]] = [
    (
        "401",
        LOOKUP,
        answer({"detail": SECRET}, 401),
        "X does not accept the token in "
        "X_BEARER_TOKEN (401); copy the bearer token again from X's "
        f"developer console, {FREE}",
    ),
    (
        "402",
        TIMELINE,
        answer({"title": SECRET}, 402),
        "the X app of X_BEARER_TOKEN has no "
        "credits left (402); buy some in X's developer console, "
        f"{FREE}",
    ),
    (
        "403",
        LOOKUP,
        answer({"title": "Client Forbidden"}, 403),
        "X does not let the app of "
        "X_BEARER_TOKEN read posts (403); enrol it in X's "
        f"developer console, {FREE}",
    ),
    ("404", LOOKUP, answer(b"", 404), "there is no @alice at X (404); check the name"),
    ("400", LOOKUP, answer([], 400), f"X's API answered 400 for @alice; try again later, {FREE}"),
    (
        "503 for ever",
        TIMELINE,
        answer(b"", 503),
        f"X's API answered 503 for @alice; try again later, {FREE}",
    ),
    (
        "a redirect",
        LOOKUP,
        answer(b"", 302, {"location": "http://127.0.0.1:1/"}),
        f"X's API answered 302 for @alice; try again later, {FREE}",
    ),
    (
        "cap",
        TIMELINE,
        answer(
            {"type": "https://api.twitter.com/2/problems/usage-capped"},
            429,
            {"x-rate-limit-reset": "9"},
        ),
        CAPPED,
    ),
    (
        "cap among errors",
        TIMELINE,
        answer(problem("UsageCapExceeded", "usage-capped"), 403),
        CAPPED,
    ),
    ("cap without a header", TIMELINE, answer({}, 429), CAPPED),
    (
        "a long wait",
        TIMELINE,
        answer({}, 429, {"x-rate-limit-reset": "4000000000"}),
        f"X is rate-limiting the app of X_BEARER_TOKEN (429); try again in 15 minutes, {FREE}",
    ),
    ("protected", LOOKUP, answer({"data": USER | {"protected": True}}), PROTECTED),
    (
        "protected since",
        TIMELINE,
        answer(problem("Authorization Error", "not-authorized-for-resource")),
        PROTECTED,
    ),
    ("suspended", LOOKUP, answer(problem("Forbidden", "resource-not-found")), FORBIDDEN),
    ("suspended since", TIMELINE, answer(problem("Forbidden", "resource-not-found")), FORBIDDEN),
    (
        "not found",
        LOOKUP,
        answer(problem("Not Found Error", "resource-not-found")),
        "there is no @alice at X; check the name",
    ),
    ("nothing", LOOKUP, answer({}), f"X's API gives nothing for @alice; try again later, {FREE}"),
    ("a list", TIMELINE, answer([1]), f"X's API gives nothing for @alice; try again later, {FREE}"),
    (
        "an id that leads elsewhere",
        LOOKUP,
        answer({"data": USER | {"id": "../42"}}),
        "{url} gives no id for @alice; try again later",
    ),
    (
        "no JSON",
        TIMELINE,
        answer(b"<html>"),
        "{url}/2/users/42/tweets did not answer with JSON; try again later",
    ),
    (
        "a huge body",
        TIMELINE,
        answer(b" " * (32 * 2**20 + 1)),
        "{url}/2/users/42/tweets answered with more than 32 MiB; try again later",
    ),
    (
        "the same page",
        TIMELINE,
        answer(page(tweet("5"), next_token="b")),
        "{url} gives the same pages of @alice over and over; try again later",
    ),
]


@pytest.mark.parametrize(
    ("path", "given", "expected"),
    [case[1:] for case in REFUSALS],
    ids=[case[0] for case in REFUSALS],
)
def test_refusals_get_one_line(x: X, path: str, given: Answer, expected: str) -> None:
    x.answers[path] = [given]
    with pytest.raises(HubtweetsError) as caught:
        fetch(x)
    assert str(caught.value) == expected.format(url=x.url)


def test_what_is_paid_for_is_kept_when_x_stops(x: X) -> None:
    x.answers[TIMELINE] = [
        answer(page(tweet("5"), tweet("4"), next_token="b")),
        answer({"title": SECRET}, 402),
    ]
    reading = fetch(x)
    assert [post.id for post in reading.posts] == ["5", "4"]
    why = (
        f"the X app of X_BEARER_TOKEN has no credits left (402); buy some in X's developer "
        f"console, {FREE}"
    )
    assert reading.warnings == [f"2 of 250 posts came, and are kept, when X stopped: {why}"]


def test_empty_pages_end(x: X) -> None:
    x.endless = lambda number: answer(page(next_token=str(number)))
    with pytest.raises(
        HubtweetsError, match=r"gives the same pages of @alice over and over; try again later$"
    ):
        fetch(x)


@pytest.mark.parametrize(
    "corrupt", [None, [], "", -1, True, {"tweet_count": -1}, {"tweet_count": None}]
)
def test_a_corrupt_field_of_the_user_costs_itself(x: X, corrupt: object) -> None:
    for field in (
        "public_metrics",
        "name",
        "username",
        "description",
        "profile_image_url",
        "protected",
    ):
        if field == "protected" and corrupt is True:
            continue
        x.answers[LOOKUP] = [answer({"data": USER | {field: corrupt}})]
        x.answers[TIMELINE] = [answer(page(tweet("5")))]
        assert [post.id for post in fetch(x).posts] == ["5"]


TOKENS: list[tuple[dict[str, str], str]] = [
    ({"X_BEARER_TOKEN": "one", "BEARER_TOKEN": "three"}, "Bearer one"),
    (
        {"X_BEARER_TOKEN": " ", "TWITTER_BEARER_TOKEN": " two\n", "BEARER_TOKEN": "three"},
        "Bearer two",
    ),
    ({"BEARER_TOKEN": "three"}, "Bearer three"),
]


@pytest.mark.parametrize(("environment", "expected"), TOKENS)
def test_the_first_variable_that_holds_a_token(
    x: X, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str
) -> None:
    monkeypatch.delenv("X_BEARER_TOKEN")
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    fetch(x)
    assert {token for _, _, token in x.asked} == {expected}


UNASKED: list[tuple[str, str, str]] = [
    (
        "alice",
        "",
        f"no token for X's API: set X_BEARER_TOKEN to the bearer token of an app in X's "
        f"developer console, {FREE}",
    ),
    (
        "alice",
        "a\nb",
        "X_BEARER_TOKEN holds characters that no token has; copy the bearer token again from X's "
        "developer console",
    ),
    (
        "alice",
        "ключ",
        "X_BEARER_TOKEN holds characters that no token has; copy the bearer token again from X's "
        "developer console",
    ),
    *(
        (
            handle,
            SECRET,
            f"{handle!r} is not the name of an X account (1 to 20 letters, digits and _); write "
            f"it without the @, as in x:alice",
        )
        for handle in ("", "@alice", "a/b", "a" * 21, "аlice", "a\n", "..")
    ),
]


@pytest.mark.parametrize(("handle", "token", "expected"), UNASKED)
def test_nothing_is_asked_without_a_handle_and_a_token(
    x: X, monkeypatch: pytest.MonkeyPatch, handle: str, token: str, expected: str
) -> None:
    monkeypatch.setenv("X_BEARER_TOKEN", token)
    with pytest.raises(HubtweetsError) as caught:
        x_api.fetch(handle, 0.005, list[str]().append, lambda text: True, x.url)
    assert (str(caught.value), x.asked) == (expected, [])


def test_the_default_picture_is_none() -> None:
    urls = [
        "https://x/a_normal.jpg",
        "https://x/a_normal",
        "https://x/default_profile_normal.png",
        "",
        None,
    ]
    assert [x_api.get_avatar_url({"profile_image_url": url}) for url in urls] == [
        "https://x/a_400x400.jpg",
        "https://x/a_400x400",
        None,
        None,
        None,
    ]
