"""Colours code: the blocks of a card, and files.

In: untrusted text. Out: HTML in which it is escaped. Other languages and long texts stay plain:
5,000 hostile characters take Pygments a quarter of a second as Python, and minutes as YAML.
"""

from typing import NamedTuple

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name


class Language(NamedTuple):
    """A language that is coloured: Pygments' name for it, and how many characters at most."""

    lexer: str
    max_chars: int


PYTHON, SHELL, JSON = Language("python", 5000), Language("bash", 5000), Language("json", 200_000)
PLAIN = Language("text", 2**20)
LANGUAGES = {  # by the name after a fence, or a file's suffix
    **{"python": PYTHON, "py": PYTHON, "json": JSON},
    **{"sh": SHELL, "bash": SHELL, "shell": SHELL, "text": PLAIN},
}
formatter = HtmlFormatter(nowrap=True)


def format_code(text: str, name: str) -> Markup:
    """Return a text as a block of code, coloured if its language is known."""
    language = LANGUAGES.get(name, PLAIN)
    lexer = language.lexer if len(text) <= language.max_chars else PLAIN.lexer
    code = highlight(text, get_lexer_by_name(lexer, stripnl=False, ensurenl=False), formatter)
    return Markup(f'<pre class="code"><code>{code}</code></pre>')
