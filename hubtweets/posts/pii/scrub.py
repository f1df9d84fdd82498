"""Mask personal data and secrets in posts.

In: posts as they were read. Out: the same with e-mail addresses, phone numbers, other numbers that
identify a person (`identifiers`), keys and tokens (`secret_patterns`) masked, before anything is
written or learnt. Traded: a form that is in none of the lists passes.
"""

import re
from collections.abc import Iterable, Iterator

from hubtweets.posts.pii.identifiers import mask_identifiers
from hubtweets.posts.pii.phones import find_phones
from hubtweets.posts.pii.secret_patterns import SECRET, may_hold_secret
from hubtweets.posts.post import Post

MASKED_EMAIL, MASKED_PHONE, MASKED_KEY = "[email]", "[phone]", "[key]"
HIDDEN = "\u00ad\u200b-\u200d\u2060\ufeff"  # invisible characters
# of scripts with spaces between words, and full-width ones
LETTERS = f"0-9A-Za-z\u00c0-\u0dff\uff10-\uff19\uff21-\uff3a\uff41-\uff5a{HIDDEN}"
UNSPACED = "\u0e00-\u0eff\u2e80-\u9fff\uac00-\ud7af"  # scripts without spaces, and Korean
AT = rf"(?:[{HIDDEN}]*[@＠﹫]|\s?[\[({{<]\s?(?i:at|@)\s?[\])}}>]\s?)"
DOT = r"(?:[.．。]|\s?[\[({<]\s?(?i:dot|punkt|\.)\s?[\])}>]\s?|\s(?i:dot)\s)"
FILES = "(?:png|jpe?g|gif|svg|webp|avif|pdf|mp[34]|zip|html?|js|css|json|md|py|txt)"
TOP_LEVEL = rf"""(?:
    (?!{FILES}(?![{LETTERS}]))[A-Za-z{HIDDEN}]{{2,24}}|xn--[0-9A-Za-z-]{{2,59}}
    |[\uff21-\uff5a]{{2,24}}|[\u0370-\u0dff{HIDDEN}]{{2,24}}|[{UNSPACED}]{{2,6}}
)"""
DOMAIN = (
    rf"(?![1-9](?:\.\d)?x\.)(?:[{LETTERS}{UNSPACED}_-]{{1,63}}{DOT}){{1,8}}"
    rf"{TOP_LEVEL}(?![{LETTERS}])"
)
EMAIL = re.compile(
    rf"""
    (?<![{LETTERS}_.+@＠-])(?!(?:git|svn|hg)@)[{LETTERS}_.+-]{{1,64}}(?<!\.){AT}{DOMAIN}
    # the local part is in a script without spaces
    |(?<![\w.+@＠-])[\w.+-]{{1,64}}{AT}(?=[\w-]{{0,62}}[{UNSPACED}][\w-]{{0,62}}{DOT}){DOMAIN}
    """,
    re.VERBOSE,
)
SPOKEN_EMAIL = re.compile(
    r"""
    (?<![\w.+-])[\w.+-]{1,64}[\s_]{1,3}at[\s_]{1,3}
    (?!(?:an?|the|this|that|these|each|every|any|some|one|my|your|his|her|our|their|its)\s)
    [\w-]{1,63}(?:[\s_]{1,3}dot[\s_]{1,3}[\w-]{1,63}){0,4}[\s_]{1,3}dot[\s_]{1,3}
    (?:com|net|org|edu|gov|info|dev|app|io|ai|eu|de|uk|fr|es|nl|ch|pl|ca|au|jp|ru|br)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Cheap pre-filters. The first character is a set, which `re` searches fastest.
MAYBE_EMAIL = re.compile(r"[@＠﹫\[({<](?:(?<=[^\s@][@＠﹫])|\s?(?:at|AT|At|@)\s?[\])}>])")
MAYBE_SPOKEN = re.compile(r"[dD](?:ot|OT)[\s_]")
MAYBE_NUMBER = re.compile(r"\d\D{0,3}\d")


def scrub_posts(posts: Iterable[tuple[str, Post]]) -> Iterator[tuple[str, Post]]:
    """Yield pairs of an author and a post, each scrubbed."""
    for author, post in posts:
        text, secret = scrub(post.text)
        if text != post.text:
            post = post._replace(text=text, masked=True, secret=secret)
        if post.app:
            post = post._replace(app=scrub(post.app)[0])
        yield author, post


def scrub(text: str) -> tuple[str, bool]:
    """Mask personal data, keys and tokens, and return whether there was a key or a token."""
    secrets = 0
    if may_hold_secret(text):
        text, secrets = SECRET.subn(MASKED_KEY, text)
    if MAYBE_EMAIL.search(text):
        text = EMAIL.sub(MASKED_EMAIL, text)
    if MAYBE_SPOKEN.search(text):
        text = SPOKEN_EMAIL.sub(MASKED_EMAIL, text)
    if MAYBE_NUMBER.search(text):
        text = mask_phones(mask_identifiers(text))
    return text, secrets > 0


def mask_phones(text: str) -> str:
    parts, end = [], 0
    for start, stop in find_phones(text):
        parts += [text[end:start], MASKED_PHONE]
        end = stop
    return "".join(parts) + text[end:]
