"""Jinja environments over templates/, in which a missing value is an error."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hubtweets.text import escape_alt_text, escape_html

PACKAGE = Path(__file__).parent.parent
PACKAGED = PACKAGE / "templates"  # in a wheel
TEMPLATES = PACKAGED if PACKAGED.is_dir() else PACKAGE.parent / "templates"


def create_environment(**options: object) -> Environment:
    """Return a Jinja environment over templates/ that raises an error for a missing variable."""
    settings: dict[str, Any] = {
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
        "keep_trailing_newline": True,
        **options,
    }
    jinja = Environment(loader=FileSystemLoader(TEMPLATES), **settings)
    jinja.filters["description"] = escape_alt_text
    jinja.filters["html"] = escape_html
    jinja.filters["percent"] = format_percent
    jinja.filters["thousands"] = lambda number: f"{number:,}"
    return jinja


def format_percent(share: float) -> str:
    """Return a share in percent with one decimal: "5.8 %", and "100 %" without one."""
    return f"{100 * share:.1f}".removesuffix(".0") + " %"
