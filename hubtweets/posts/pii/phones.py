"""Phone numbers in a text.

In: a text. Out: where phone numbers are in it. Google's libphonenumber
(https://github.com/google/libphonenumber) recognizes them: those with a country code anywhere,
those without one if they are a valid number of one of `REGIONS`, grouped as people there write it.
Bare digits are ids, prices and years, unless a word such as `call` is before them or they are a
mobile number with its 0. Traded: some ways to write a number are not recognized.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

REGIONS = (
    *("US", "GB", "DE", "FR", "ES", "IT", "NL", "BR", "IN", "JP"),
    *("KR", "AU", "CN", "RU", "TR", "PL", "CH", "AT", "NG", "EG"),
)
OWN_GROUPING = ("EG", "NG")  # where people don't group numbers as the plan says
SEPARATORS = r"\s().\-/\u2010-\u2015\u2212\u30fc\uff0d\uff08\uff09\u200b-\u200d\u2060\ufeff"
DIGIT_ROW = re.compile(rf"(?<![A-Za-z0-9_@#])\+?\(?\d(?:[{SEPARATORS}+]{{0,3}}\d){{6,}}+")
DECIMAL = re.compile(r"\d+\.\d+")
GROUP = re.compile(r"\d+")
# after a number: it is a model's or an amount; an extension is not part of it
GLUED_WORD = re.compile(r"(?!x\d|ext)[A-Za-z_]")
# a number may begin or end at one of these, but not within 978-3-16
LOOSE_SEPARATOR = re.compile(r"[\s/(+\uff08]")
OPEN, CLOSE = re.compile(r"[(（]"), re.compile(r"[)）]")
DASH = re.compile(r"[\u2010-\u2015\u2212\u30fc\uff0d]")
CUE = re.compile(
    r"(?:\b(?:tel|telefon|phone|(?:my|phone|mobile|contact) (?:number|no)|call|ring|text|whatsapp"
    r"|signal|mobile|cell|mob|handy|kom|zadzwoń|ruf|fon)\b"
    r"|wa\.me/|(?:电话|電話|手机|微信)(?:号码?|番号)?|тел|звон\w{0,4}|هاتف)"
    r"(?:\W{1,3}(?:is|me|us|him|her|at|on|or|no|nr|number|now|my|the|just|mich|an|unter|pod)\b)"
    r"{0,3}\W{0,4}$",
    re.IGNORECASE,
)
NO_PHONE = re.compile(
    r"[€$£¥₽₹]\s?$|\b(?:isbn|issn|doi|upc|ean|order|invoice|flight|tracking|serial|version"
    r"|ticket|part|model|sku|ref|id|case|account)\b\W{0,3}(?:number|no|nr|n°)?\W{0,3}$",
    re.IGNORECASE,
)
UNIT = re.compile(
    r"\s?(?:[€$£¥₽₹%]"
    r"|(?:USD|EUR|GBP|PLN|CHF|zł|euros?|dollars?|people|users|views|followers|votes|km|stars)\b)"
)
CONTEXT_CHARS = 40  # before a number, in which such a word may be
IN_ORDER = "012345678901234567890"
DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
MAX_NUMBER_GROUPS = 7  # in one number
MAX_LEADING_SIGNS = 3  # before one
DIGITS = range(8, 14)  # of a national number, with its prefix
# Limits per text: a group takes about 10 us, a number 0.1 ms. Beyond the limits, digits are taken
# for phone numbers without a check.
MAX_GROUPS, MAX_NUMBERS = 1_000, 100


Span = tuple[int, int]


def find_phones(text: str) -> Iterator[Span]:
    """Yield where each phone number begins and ends, in order."""
    groups_left, checks = MAX_GROUPS, iter(range(MAX_NUMBERS))
    for row in DIGIT_ROW.finditer(text):
        matches = islice(GROUP.finditer(text, row.start(), row.end()), groups_left)
        groups = [match.span() for match in matches]
        groups_left -= len(groups)
        if groups and GLUED_WORD.match(text, groups[-1][1]):
            groups.pop()
        yield from find_in_row(text, groups, checks)
        unchecked = groups[-1][1] if groups else row.start()
        if not groups_left and unchecked < row.end():
            yield unchecked, row.end()


def find_in_row(text: str, groups: list[Span], checks: Iterator[int]) -> Iterator[Span]:
    """Yield the phone numbers in a row of groups of digits: the longest from each group on."""
    first = 0
    while first < len(groups):
        start = find_start(text, groups, first)
        last = find_last(text, groups, first, checks) if start is not None else None
        if start is not None and last is not None:
            yield trim_brackets(text, start, groups[last][1])
            first = last
        first += 1


def find_start(text: str, groups: list[Span], first: int) -> int | None:
    """Return where a number that begins with this group starts, with its sign or bracket.

    Returns None if no number can begin there.
    """
    start = groups[first][0]
    before = text[groups[first - 1][1] : start] if first else ""
    if first and not LOOSE_SEPARATOR.search(before):
        return None
    while start and text[start - 1] in "+(（" and groups[first][0] - start < MAX_LEADING_SIGNS:
        start -= 1
    return start


def trim_brackets(text: str, start: int, end: int) -> Span:
    """Return a span without the brackets at its start that are closed after its end."""
    while text[start] in "(（" and count(OPEN, text, start, end) > count(CLOSE, text, start, end):
        start += 1
    return start, end


def count(pattern: re.Pattern[str], text: str, start: int, end: int) -> int:
    return len(pattern.findall(text, start, end))


def find_last(text: str, groups: list[Span], first: int, checks: Iterator[int]) -> int | None:
    """Return the last group of the longest phone number that begins with this group, or None."""
    for last in reversed(range(first, min(first + MAX_NUMBER_GROUPS, len(groups)))):
        end = groups[last][1]
        if last + 1 < len(groups) and not LOOSE_SEPARATOR.search(text[end : groups[last + 1][0]]):
            continue
        if is_phone(text, groups[first : last + 1], checks):
            return last
    return None


def is_phone(text: str, groups: list[Span], checks: Iterator[int]) -> bool:
    digits = to_ascii("".join(text[start:end] for start, end in groups))
    start, end = groups[0][0], groups[-1][1]
    if UNIT.match(text, end):
        return False
    if "+" in text[max(0, start - 2) : start]:
        return is_international(digits, checks)
    if digits.startswith("00") and digits[2:3] != "0":
        return is_international(digits[2:], checks, must_be_valid=True)
    before = text[max(0, start - CONTEXT_CHARS) : start]
    if len(groups) == 1:
        return is_bare_phone(digits, before, checks)
    if len(digits) not in DIGITS or digits.endswith("000000"):
        return False
    if sum(end - start == 1 for start, end in groups) > 1:
        return False
    if NO_PHONE.search(before) or DECIMAL.fullmatch(text, start, end):
        return False
    return is_national(text, groups, digits, checks)


def is_bare_phone(digits: str, before: str, checks: Iterator[int]) -> bool:
    """Return whether digits in one group are a phone number, by the text before them."""
    if 7 <= len(digits) <= 15 and not DATE.fullmatch(digits) and CUE.search(before):
        return True
    return not NO_PHONE.search(before) and is_mobile(digits, checks)


def is_international(digits: str, checks: Iterator[int], must_be_valid: bool = False) -> bool:
    """Return whether these digits are a number with its country code.

    Ten or more digits of a possible length are enough, as made-up numbers have them.
    """
    import phonenumbers

    if not 8 <= len(digits) <= 15 or digits.endswith("000000"):
        return False
    if next(checks, None) is None:
        return True
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return False
    if must_be_valid or len(digits) < 10:
        return phonenumbers.is_valid_number(number)
    possible = phonenumbers.is_possible_number_with_reason(number)
    return possible == phonenumbers.ValidationResult.IS_POSSIBLE


def is_national(text: str, groups: list[Span], digits: str, checks: Iterator[int]) -> bool:
    """Return whether these groups are a number as people of one of the regions write it."""
    import phonenumbers

    regions = find_regions(digits)
    if regions and next(checks, None) is None:
        return True
    start, end = groups[0][0], groups[-1][1]
    bracket = "(" if text[max(0, start - 1) : start] in ("(", "（") else ""
    # without line breaks and unusual spaces and dashes
    written = DASH.sub("-", " ".join((bracket + text[start:end]).split()))
    for region in regions:
        leniency = phonenumbers.Leniency.STRICT_GROUPING
        if region in OWN_GROUPING:
            leniency = phonenumbers.Leniency.VALID
        found: Any = phonenumbers.PhoneNumberMatcher(written, region, leniency, max_tries=1)
        if any(match.end == len(written) for match in islice(found, 1)):
            return True
    return False


def is_mobile(digits: str, checks: Iterator[int]) -> bool:
    """Return whether bare digits are a mobile number with its leading 0; few ids begin with one."""
    import phonenumbers

    if not 10 <= len(digits) <= 11 or digits[0] != "0" or digits in IN_ORDER:
        return False
    regions = find_regions(digits)
    if regions and next(checks, None) is None:
        return True
    for region in regions:
        number = phonenumbers.parse(digits, region)
        if phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE:
            return True
    return False


def find_regions(digits: str) -> list[str]:
    """Return the regions whose numbers have these digits."""
    patterns = make_national_patterns()
    return [region for region, pattern in patterns.items() if pattern.fullmatch(digits)]


@lru_cache(maxsize=1)
def make_national_patterns() -> dict[str, re.Pattern[str]]:
    """Return the pattern of each region's numbers, with or without the national prefix."""
    from phonenumbers import PhoneMetadata

    patterns = {}
    for region in REGIONS:
        plan: Any = PhoneMetadata.metadata_for_region(region)
        patterns[region] = re.compile(
            f"(?:{plan.national_prefix or ''})?(?:{plan.general_desc.national_number_pattern})"
        )
    return patterns


def to_ascii(digits: str) -> str:
    """Return full-width, Arabic and other digits as 0 to 9."""
    return digits if digits.isascii() else "".join(str(int(digit)) for digit in digits)
