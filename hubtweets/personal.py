"""Personal data and secrets in posts.

In: posts as they were read. Out: the same with e-mail addresses, phone numbers, keys and tokens masked, before anything is written or learnt. Phone
numbers are found by Google's libphonenumber: those with a country code anywhere, those without one where they are a valid number of one of
`REGIONS`, grouped as people there write it. Keys and tokens have the forms that their issuers document, as secret scanners know them.
"""

import re
from collections.abc import Iterable, Iterator

from hubtweets.posts import Post

MASKED_EMAIL, MASKED_PHONE, MASKED_KEY = "[email]", "[phone]", "[key]"
EMAIL = re.compile(r"(?<![\w.+@-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}\.[^\W\d_]{2,24}\b")
MAYBE_PHONE = re.compile(r"\+?\(?\d(?:[ ().\-/]{0,3}\d){6,14}")
SEPARATED = re.compile(r"[+() .\-/]")
REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "BR", "IN", "JP", "KR", "AU")
LONG_WORD = re.compile(r"\S{15}|-----BEGIN")  # in every secret; this, AT and DIGITS are in few posts, and most are done with quickly
AT = re.compile(r"\w@\w")
DIGITS = re.compile(r"\d\D{0,3}\d")
SECRET = re.compile(
    r"""
    \b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,})          # GitHub
    |\bglpat-[\w-]{20,}                                            # GitLab
    |\bhf_[A-Za-z]{30,}|\bapi_org_[A-Za-z]{30,}                    # Hugging Face
    |\bsk-(?:proj-|ant-|or-)?[\w-]{20,}                            # OpenAI, Anthropic, OpenRouter
    |\b(?:AKIA|ASIA)[0-9A-Z]{16}\b                                # Amazon
    |\bAIza[\w-]{35}|\bya29\.[\w-]{20,}                           # Google
    |\bxox[abeoprs]-[\w-]{10,}                                     # Slack
    |\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}                        # Stripe
    |\bnpm_[A-Za-z0-9]{36}\b|\bpypi-[\w-]{50,}                    # package registries
    |\b\d{8,10}:AA[\w-]{33}\b                                     # Telegram bots
    |\bSG\.[\w-]{16,}\.[\w-]{16,}                                  # SendGrid
    |\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*                        # JSON Web Tokens
    |-----BEGIN\ [A-Z ]{0,30}PRIVATE\ KEY(?:.*PRIVATE\ KEY-----|.*)
    """,
    re.VERBOSE | re.ASCII | re.DOTALL,
)


def scrubbed(posts: Iterable[tuple[str, Post]]) -> Iterator[tuple[str, Post]]:
    """Pass on pairs of an author and a post, each text scrubbed."""
    for author, post in posts:
        text = scrub(post.text)
        yield author, (post if text == post.text else post._replace(text=text))


def scrub(text: str) -> str:
    """Return the text with e-mail addresses, phone numbers, keys and tokens masked."""
    if LONG_WORD.search(text):
        text = SECRET.sub(MASKED_KEY, text)
    if AT.search(text):
        text = EMAIL.sub(MASKED_EMAIL, text)
    if DIGITS.search(text):
        text = MAYBE_PHONE.sub(lambda match: MASKED_PHONE if is_phone(match[0]) else match[0], text)
    return text


def is_phone(candidate: str) -> bool:
    """Tell a phone number from another row of digits."""
    import phonenumbers

    if not SEPARATED.search(candidate):  # bare digits are ids, prices and years
        return False
    regions = (None,) if candidate.startswith("+") else REGIONS
    grouping = phonenumbers.Leniency.VALID if candidate.startswith("+") else phonenumbers.Leniency.STRICT_GROUPING
    return any(phonenumbers.PhoneNumberMatcher(candidate, region, grouping, max_tries=2).has_next() for region in regions)


def is_masked(text: str) -> bool:
    return MASKED_EMAIL in text or MASKED_PHONE in text
