import pytest

from hubtweets.personal import scrub, scrubbed
from hubtweets.posts import Post

SAME = [
    "no numbers at all",
    "on 2026-07-25 at 08:26:58",
    "1/2/2026 10-12",
    "from 2019-2020-2021 on",
    "tweet 1353378455178633217",
    "ISBN 978-3-16-148410-0",
    "100-98 and 120-110",
    "1 000 000 000 people",
    "192.168.100.200",
    "3.14159265358979",
    "10 20 30 40 50 60",
    "call 911 or 555-2671",
    "@alice is no address, nor is a@b or alice@localhost",
    "@alice@mastodon.example and @bob@host.org are no addresses either",
    "the word hf_ and sk-something are no keys",
    "AKIA is a name, eyJ too",
    "x" * 5_000,
    "9876543210 is a large number of stars",
    "eyJ-" * 20_000,
]
MASKED = [
    ("alice.b+c@mail.example.co.uk wrote", "[email] wrote"),
    ("(alice@example.org)", "([email])"),
    ("müller@münchen.example", "[email]"),
    ("发邮件到me@example.com谢谢", "发邮件到[email]谢谢"),
    ("+49 30 1234567", "[phone]"),
    ("+1 (202) 555-0143 or so", "[phone] or so"),
    ("(415) 555-2671", "[phone]"),
    ("415-555-2671 and a@b.org", "[phone] and [email]"),
    ("ring 020 7946 0958 now", "ring [phone] now"),
    ("06 12 34 56 78", "[phone]"),
    ("010-1234-5678", "[phone]"),
    ("98765 43210", "[phone]"),
    ("Tel 212-555-0123 / 415-555-2671 thanks", "Tel [phone] / [phone] thanks"),
    ("open 24/7 212-555-0123", "open 24/7 [phone]"),
    ("415–555–2671 and 415\u00a0555\u00a02671", "[phone] and [phone]"),
    ("０９０－１２３４－５６７８", "[phone]"),
    ("电话：13812345678", "电话：[phone]"),
    ("whatsapp me: 9876543210", "whatsapp me: [phone]"),
    ("тел. 8 916 123 45 67", "тел. [phone]"),
]
SECRETS = [
    "ghp_" + "a1" * 18,
    "github_pat_" + "a" * 30,
    "glpat-" + "a" * 20,
    "hf_" + "aB" * 17,
    "sk-proj-" + "a1_-" * 10,
    "sk-ant-api03-" + "a" * 40,
    "AKIA" + "A1" * 8,
    "AIza" + "a" * 35,
    "xoxb-1234567890-abc",
    "sk_live_" + "a1" * 10,
    "npm_" + "a" * 36,
    "A" * 22 + "b1%2B" * 12,
    "discord.com/api/webhooks/123456/" + "a-B_" * 15,
    "pypi-" + "A" * 60,
    "123456789:AA" + "x" * 33,
    "SG." + "a" * 22 + "." + "b" * 43,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc",
    "-----BEGIN OPENSSH PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----",
]


@pytest.mark.parametrize("text", SAME)
def test_what_is_not_personal_stays(text: str) -> None:
    assert scrub(text) == (text, False)


@pytest.mark.parametrize(("text", "expected"), MASKED)
def test_addresses_and_numbers_are_masked(text: str, expected: str) -> None:
    assert scrub(text) == (expected, False)


@pytest.mark.parametrize("secret", SECRETS)
def test_keys_and_tokens_are_masked(secret: str) -> None:
    assert scrub(secret) == ("[key]", True)
    assert scrub(f"oops: {secret}\n")[0].strip() == "oops: [key]"


def test_a_private_key_is_masked_whole() -> None:
    assert scrub("look: -----BEGIN RSA PRIVATE KEY-----\nMIIEow\nAAAA\n-----END RSA PRIVATE KEY----- end") == ("look: [key] end", True)


def test_posts_are_scrubbed_in_passing() -> None:
    posts = [("alice", Post("1", "a@b.org")), ("bob", Post("2", "nothing here"))]
    posts += [("bob", Post("3", "press [key] to continue")), ("bob", Post("4", SECRETS[0]))]
    assert list(scrubbed(posts)) == [
        ("alice", Post("1", "[email]", masked=True)),
        ("bob", Post("2", "nothing here")),
        ("bob", Post("3", "press [key] to continue")),
        ("bob", Post("4", "[key]", masked=True, secret=True)),
    ]
