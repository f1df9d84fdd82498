"""Dates, nested fields and addresses, as the sources write them."""

import re
from datetime import UTC, datetime
from typing import Any

from hubtweets.text import replace_surrogates

X_DATE_PATTERN = re.compile(r"\w{3} (\w{3}) (\d\d) (\d\d):(\d\d):(\d\d) \+0000 (\d{4})", re.ASCII)
YEAR_FIRST_DATE = re.compile(r"\d{4}/\d\d/\d\d\b", re.ASCII)
GERMAN_DATE = re.compile(r"^(\d\d)\.(\d\d)\.(\d{4})\b", re.ASCII)
ADDRESS = re.compile(r"[\w-]+(\.[\w-]+)+/\S*")  # a shortened one need not be in the link
MARKDOWN_LINK = re.compile(r"\[([^\[\]]*)\]\(https?:[^\s()]*(?:\([^\s()]*\)[^\s()]*)*\)")
MONTHS = {
    name: number
    for number, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1
    )
}
SECONDS_UNTIL_5138 = 10**11  # a larger number of seconds is one of milliseconds


def to_utc(date: object) -> str | None:
    """Return a date as ISO 8601 in UTC, or None where it is none.

    It may be written as ISO 8601, as X writes it ("Sat Jul 25 08:26:58 +0000 2026", "2015-10-01 15:59:20 +0000"), as "2025-05-18 04:35:32 UTC",
    as "2015/01/31 08:00" or "31.01.2015 08:00", as seconds or milliseconds since 1970, or be a datetime. 01/02/2015 is two days, and none.
    """
    try:
        if isinstance(date, str):
            if found := X_DATE_PATTERN.fullmatch(date):
                month, day, hour, minute, second, year = found.groups()
                when = datetime(
                    int(year),
                    MONTHS[month],
                    int(day),
                    int(hour),
                    int(minute),
                    int(second),
                    tzinfo=UTC,
                )
            elif (
                date.isascii() and date.isdecimal() and len(date) > 8
            ):  # fewer digits are a day or a year
                return to_utc(int(date))
            else:
                date = GERMAN_DATE.sub(
                    r"\3-\2-\1", date.replace("/", "-") if YEAR_FIRST_DATE.match(date) else date
                )
                when = datetime.fromisoformat(
                    date.removesuffix(" UTC").replace(" +", "+").replace(" -", "-")
                )
        elif isinstance(date, datetime):
            when = date
        elif isinstance(date, int | float) and not isinstance(date, bool):
            when = datetime.fromtimestamp(
                date / 1000 if abs(date) > SECONDS_UNTIL_5138 else date, UTC
            )
        else:
            return None
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (ValueError, OverflowError, OSError, KeyError):
        return None


def dig(value: Any, *keys: str) -> Any:
    """Return `value[key][key]...`, or None where the way leads nowhere: a hurt field costs itself, not the posts."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def get_list(value: Any, *keys: str) -> list:
    """Return what `dig` finds where that is a list, else an empty one."""
    found = dig(value, *keys)
    return found if isinstance(found, list) else []


def get_text(item: Any, *keys: str) -> str | None:
    """Return the first of the keys' values that is a text or a whole number, as text."""
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
    """Tell whether a link's words are its address, whole or shortened, not words of the author's."""
    words = words.strip().lower()
    if not words or " " in words:
        return not words
    short = words.removesuffix("…").removesuffix("...")
    return (
        words.startswith(("http:", "https:", "www."))
        or ADDRESS.fullmatch(short) is not None
        or (("." in short or "/" in short) and short in href.lower())
    )
