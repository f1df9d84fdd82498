"""Dates, nested fields and addresses, as the sources write them."""

import re
from datetime import UTC, datetime
from typing import Any

from hubtweets.text import replace_surrogates

X_DATE_PATTERN = re.compile(r"\w{3} (\w{3}) (\d\d) (\d\d):(\d\d):(\d\d) \+0000 (\d{4})", re.ASCII)
YEAR_FIRST_DATE = re.compile(r"\d{4}/\d\d/\d\d\b", re.ASCII)
GERMAN_DATE = re.compile(r"^(\d\d)\.(\d\d)\.(\d{4})\b", re.ASCII)
ADDRESS = re.compile(r"[\w-]+(\.[\w-]+)+/\S*")  # if shortened, it may not be in the link
MARKDOWN_LINK = re.compile(r"\[([^\[\]]*)\]\(https?:[^\s()]*(?:\([^\s()]*\)[^\s()]*)*\)")
MONTHS = {
    name: number
    for number, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1
    )
}
SECONDS_UNTIL_5138 = 10**11  # a larger number of seconds is one of milliseconds


def to_utc(date: object) -> str | None:
    """Return a date as ISO 8601 in UTC, or None if it is not a date.

    It may be written as ISO 8601, as X writes it ("Sat Jul 25 08:26:58 +0000 2026",
    "2015-10-01 15:59:20 +0000"), as "2025-05-18 04:35:32 UTC", as "2015/01/31 08:00" or
    "31.01.2015 08:00", as seconds or milliseconds since 1970, or be a datetime. 01/02/2015 is
    ambiguous, and so None.
    """
    try:
        when = parse_date(date)
        if when is None:
            return None
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (ValueError, OverflowError, OSError, KeyError):
        return None


def parse_date(date: object) -> datetime | None:
    """Return a date as a datetime; raise an error of datetime's or KeyError if it has no format."""
    if isinstance(date, str):
        # fewer digits are a day or a year
        is_number = date.isascii() and date.isdecimal() and len(date) > 8
        return parse_number(int(date)) if is_number else parse_text(date)
    if isinstance(date, datetime):
        return date
    if isinstance(date, int | float) and not isinstance(date, bool):
        return parse_number(date)
    return None


def parse_text(date: str) -> datetime:
    if found := X_DATE_PATTERN.fullmatch(date):
        month, *others = found.groups()
        day, hour, minute, second, year = map(int, others)
        return datetime(year, MONTHS[month], day, hour, minute, second, tzinfo=UTC)
    if YEAR_FIRST_DATE.match(date):
        date = date.replace("/", "-")
    date = GERMAN_DATE.sub(r"\3-\2-\1", date).removesuffix(" UTC")
    return datetime.fromisoformat(date.replace(" +", "+").replace(" -", "-"))


def parse_number(date: float) -> datetime:
    """Return the datetime of seconds or milliseconds since 1970."""
    return datetime.fromtimestamp(date / 1000 if abs(date) > SECONDS_UNTIL_5138 else date, UTC)


def dig(value: Any, *keys: str) -> Any:
    """Return `value[key][key]...`, or None if any key is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def get_list(value: Any, *keys: str) -> list:
    """Return the list at `value[key][key]...`, or an empty one."""
    found = dig(value, *keys)
    return found if isinstance(found, list) else []


def get_text(item: Any, *keys: str) -> str | None:
    """Return the first of the keys' values that is a string or an integer, as a string."""
    if not isinstance(item, dict):
        return None
    for key in keys:
        value = item.get(key)
        if isinstance(value, str):
            if value:
                return replace_surrogates(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            return str(value) if -(10**30) < value < 10**30 else None
    return None


def is_address(words: str, href: str) -> bool:
    """Return whether a link's words are its address, whole or shortened, not the author's words."""
    words = words.strip().lower()
    if not words or " " in words:
        return not words
    short = words.removesuffix("…").removesuffix("...")
    if words.startswith(("http:", "https:", "www.")) or ADDRESS.fullmatch(short):
        return True
    return ("." in short or "/" in short) and short in href.lower()
