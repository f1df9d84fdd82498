"""Mask numbers that identify a person, an account or a place.

These are IBANs, payment cards, IP and MAC addresses, and coordinates. In: a text. Out: the same
with them masked. Each has a pattern and a check: the checksum of IBANs (ISO 13616, mod 97) and of
cards (ISO/IEC 7812, Luhn), whether an IP address is public. Addresses reserved for examples count
as public. Traded: an address of four numbers under 64 is taken for a version, unless a word such as
`server` is before it; coordinates need four decimals, five if both are under ten, fewer after a
word such as `location` and with a degree sign.
"""

import ipaddress
import re
from collections.abc import Callable
from typing import NamedTuple

# lengths in characters from SWIFT's IBAN registry, release 101
IBAN_COUNTRIES = {
    15: "NO",
    16: "BE",
    18: "DK FI FK FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
# Visa, Mastercard, American Express, Diners, Discover, JCB, UnionPay, Maestro, Mir; 17 and 18
# digits are ids of posts
CARD_LENGTHS = re.compile(
    r"4\d{15}(?:\d{3})?|(?:5[0-8]|2[2-7]|6\d)\d{14}|(?:6[0-9])\d{17}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11}|35\d{14}"
)
IP_CUE = re.compile(
    r"\b(?:ip|ipv4|ping|ssh|server|host|address|connect|login|dns)\b[^\d\n]{0,16}$", re.IGNORECASE
)
VERSION_CUE = re.compile(
    r"(?:[a-z]/|\bv(?:er)?\.? ?|\b(?:version|release|build|update|upgrade|patch|firmware|driver"
    r"|section|chapter|android|ios|chrome|firefox|windows|kernel)\b[^\d\n]{0,12})$",
    re.IGNORECASE,
)
PLACE_CUE = re.compile(
    r"(?:\b(?:gps|geo|coord\w*|lat\w*|location|standort|position|maps?|here|meet)\b[^\d\n]{0,24}"
    r"|[@?&]\w{0,6}=?)$",
    re.IGNORECASE,
)
CONTEXT_CHARS = 40  # before a number, in which such a word may be
EXAMPLES = [  # RFC 5737, RFC 3849
    ipaddress.ip_network(block)
    for block in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]
GLOBAL_UNICAST = r"[23][0-9a-f]{3}"


class Identifier(NamedTuple):
    """A kind of identifier: its mask, its pattern and what a match must also fulfil."""

    mask: str
    pattern: re.Pattern[str]
    check: Callable[[re.Match[str]], bool]

    def mask_if_checked(self, match: re.Match[str]) -> str:
        return self.mask if self.check(match) else match[0]


def mask_identifiers(text: str) -> str:
    """Return a text with all IDENTIFIERS masked."""
    for identifier in IDENTIFIERS:
        text = identifier.pattern.sub(identifier.mask_if_checked, text)
    return text


def is_iban(match: re.Match[str]) -> bool:
    plain = re.sub(r"[ -]", "", match[0]).upper()
    return int("".join(str(int(character, 36)) for character in plain[4:] + plain[:4])) % 97 == 1


def is_card(match: re.Match[str]) -> bool:
    digits = re.sub(r"\D", "", match[0])
    if not CARD_LENGTHS.fullmatch(digits) or len(set(digits)) == 1:
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0


def is_public_ip(match: re.Match[str]) -> bool:
    try:
        address = ipaddress.ip_address(match[0])
    except ValueError:
        return False
    if not address.is_global and not any(address in network for network in EXAMPLES):
        return False
    before = get_context(match)
    if address.version == 6 or IP_CUE.search(before):
        return True
    is_small = max(address.packed) < 64 or address.packed[1:3] == b"\0\0"
    return not (is_small or VERSION_CUE.search(before))


def is_mac(match: re.Match[str]) -> bool:
    """Return whether there is a digit and a letter.

    All but one in 300 addresses have both, and rows of numbers have no letter.
    """
    return bool(re.search("[a-f]", match[0], re.IGNORECASE) and re.search(r"\d", match[0]))


def is_place(match: re.Match[str]) -> bool:
    places = [match["latitude"], match["longitude"]]
    sizes = [abs(float(place)) for place in places]
    if sizes[0] > 90 or sizes[1] > 180:
        return False
    decimals = min(len(place.partition(".")[2]) for place in places)
    if "°" in match[0]:
        return decimals >= 2
    if re.search("[A-Z]", match[0], re.IGNORECASE) or PLACE_CUE.search(get_context(match)):
        return decimals >= 3
    # smaller pairs of numbers, such as two losses or shares, have four decimals
    return decimals >= (4 if max(sizes) >= 10 else 5) and max(sizes) >= 1


def get_context(match: re.Match[str]) -> str:
    return match.string[max(0, match.start() - CONTEXT_CHARS) : match.start()]


def accept_any(match: re.Match[str]) -> bool:
    return True


def make_iban_pattern() -> re.Pattern[str]:
    ways = (
        rf"(?:{countries.replace(' ', '|')})[ -]?\d\d(?:[ -]?[0-9A-Z]){{{length - 4}}}"
        for length, countries in IBAN_COUNTRIES.items()
    )
    return re.compile(
        rf"(?<![0-9A-Za-z])(?=[A-Z]{{2}}[ -]?\d\d)(?:{'|'.join(ways)})(?![0-9A-Za-z])",
        re.IGNORECASE | re.ASCII,
    )


SEPARATOR = r"\s{0,2}[,;/& ]\s{0,2}(?:(?i:lon|lng|long|longitude)\s?[:=]?\s?|[EW]\s?)?"
DEGREES = (
    r"\d{1,3}\s?°\s?\d{1,2}\s?['′’]\s?"
    r"(?:\d{1,2}(?:\.\d{1,6})?\s?(?:[\"″”]|''|′′)\s?)?"
)
IDENTIFIERS = (
    Identifier("[iban]", make_iban_pattern(), is_iban),
    Identifier(
        "[card]",
        re.compile(
            r"(?<![\w/#@.=-])[2-6]\d{3}([ -]?)"
            r"(?:\d{4}\1\d{4}\1\d{4}(?:\d{3})?|\d{6}\1\d{4,5})(?!\w|[.-]\d)",
            re.ASCII,
        ),
        is_card,
    ),
    Identifier(
        "[mac]",
        re.compile(
            r"(?<![\w:-])[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}(?![\w:-])",
            re.IGNORECASE | re.ASCII,
        ),
        is_mac,
    ),
    Identifier(
        "[mac]",
        re.compile(
            r"(?<![\w.])(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}(?![\w]|\.\w)", re.IGNORECASE | re.ASCII
        ),
        is_mac,
    ),
    Identifier(
        "[ip]",
        re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)", re.ASCII),
        is_public_ip,
    ),
    Identifier(
        "[ip]",
        re.compile(
            rf"(?<![\w:.]){GLOBAL_UNICAST}:(?:[0-9a-f]{{0,4}}:){{1,6}}[0-9a-f]{{0,4}}(?![\w:])",
            re.IGNORECASE | re.ASCII,
        ),
        is_public_ip,
    ),
    Identifier(
        "[location]",
        re.compile(
            rf"(?<![\w.])(?!10\.\d{{4,9}}/)(?P<latitude>[+-]?\d{{1,2}}\.\d{{2,15}})\s?°?\s?[NS]?"
            rf"{SEPARATOR}(?P<longitude>[+-]?\d{{1,3}}\.\d{{2,15}})(?![\d])"
            r"(?:\s?°\s?[EW]?|\s?[EW]\b)?",
            re.ASCII,
        ),
        is_place,
    ),
    Identifier(
        "[location]", re.compile(rf"(?<!\w){DEGREES}[NS][,;/ ]{{0,3}}{DEGREES}[EWO]\b"), accept_any
    ),
)
