"""Personal data and secrets in posts.

In: posts as they were read. Out: the same with e-mail addresses, phone numbers, keys and tokens masked, before anything is written or learnt. Phone
numbers are found by Google's libphonenumber: those with a country code anywhere, those without one where they are a valid number of one of
`REGIONS`, grouped as people there write it, bare digits after a word such as `call`. Not every way to write a number is known. Keys and tokens have
the forms that their issuers document, as secret scanners know them.
"""

import re
from collections.abc import Iterable, Iterator

from hubtweets.posts import Post

MASKED_EMAIL, MASKED_PHONE, MASKED_KEY = "[email]", "[phone]", "[key]"
LATIN = "0-9A-Za-zÀ-ɏ"  # what is glued to an address in another script is no part of it
EMAIL = re.compile(rf"(?<![{LATIN}_.+@-])[{LATIN}_.+-]{{1,64}}@[{LATIN}-]{{1,63}}(?:\.[{LATIN}-]{{1,63}}){{0,8}}\.[A-Za-z]{{2,24}}(?![{LATIN}])")
SEPARATORS = r"\s().\-/\u2010-\u2015\u2212\u30fc\uff0d\uff08\uff09"
MAYBE_PHONE = re.compile(rf"\+?\(?\d(?:[{SEPARATORS}+]{{0,3}}\d){{6,40}}")
SEPARATED = re.compile(rf"[+{SEPARATORS}]")
DASH = re.compile(r"[\u2010-\u2015\u2212\u30fc\uff0d]")
CUE = re.compile(r"tel|phone|call|text me|whatsapp|mobile|cell|number|电话|電話|手机|微信|тел|звон", re.IGNORECASE)
REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "BR", "IN", "JP", "KR", "AU", "CN", "RU", "TR")
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
    |\bA{20}[A-Za-z0-9%]{30,}                                      # X
    |\bdiscord(?:app)?\.com/api/webhooks/\d+/[\w-]{40,}           # Discord
    |\bnpm_[A-Za-z0-9]{36}\b|\bpypi-[\w-]{50,}                    # package registries
    |\b\d{8,10}:AA[\w-]{33}\b                                     # Telegram bots
    |\bSG\.[\w-]{16,}\.[\w-]{16,}                                  # SendGrid
    |(?<![\w-])eyJ[\w-]{10,4000}\.eyJ[\w-]{10,4000}\.[\w-]*         # JSON Web Tokens
    |-----BEGIN\ [A-Z ]{0,30}PRIVATE\ KEY(?:.*PRIVATE\ KEY-----|.*)
    """,
    re.VERBOSE | re.ASCII | re.DOTALL,
)


def scrubbed(posts: Iterable[tuple[str, Post]]) -> Iterator[tuple[str, Post]]:
    """Pass on pairs of an author and a post, each scrubbed."""
    for author, post in posts:
        text, secret = scrub(post.text)
        yield author, (post if text == post.text else post._replace(text=text, masked=True, secret=secret))


def scrub(text: str) -> tuple[str, bool]:
    """Return the text with e-mail addresses, phone numbers, keys and tokens masked, and whether there was a key or a token."""
    secrets = 0
    if LONG_WORD.search(text):
        text, secrets = SECRET.subn(MASKED_KEY, text)
    if AT.search(text):
        text = EMAIL.sub(MASKED_EMAIL, text)
    if DIGITS.search(text):
        text = MAYBE_PHONE.sub(mask_phones, text)
    return text, secrets > 0


def mask_phones(match: re.Match) -> str:
    """Return a row of digits with the phone numbers in it masked."""
    import phonenumbers

    digits = match[0]
    if not SEPARATED.search(digits):  # bare digits are ids, prices and years, unless what is before them tells
        cue = CUE.search(match.string[max(0, match.start() - 24) : match.start()])
        return MASKED_PHONE if cue and 7 <= len(digits) <= 15 else digits
    digits = DASH.sub("-", " ".join(digits.split()))  # as it will read once line breaks and odd spaces are gone
    before = digits
    for region in (None, *REGIONS):
        grouping = phonenumbers.Leniency.STRICT_GROUPING if region else phonenumbers.Leniency.VALID
        for found in list(phonenumbers.PhoneNumberMatcher(digits, region, grouping, max_tries=5))[::-1]:
            digits = digits[: found.start] + MASKED_PHONE + digits[found.end :]
    return digits if digits != before else match[0]
