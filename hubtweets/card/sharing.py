"""How a reader passes a bot on: links that open a post about it, and a citation.

In: the record of a run. Out: addresses in which every text is percent-encoded, and BibTeX in which
every character is escaped that TeX would read as a command.
"""

import re
from typing import Any
from urllib.parse import quote, urlsplit

from markupsafe import Markup

from hubtweets.posts.post import Profile
from hubtweets.record.run_record import RunRecord
from hubtweets.text import to_link_target, to_plain_text

# Public addresses of the project and of its notebook; the card has no link while one is None.
PROJECT_URL: str | None = None
NOTEBOOK_URL: str | None = None
MAX_POST_CHARS = 200  # of the text; X allows 280 characters with the link, Bluesky 300
X_HOSTS = ("x.com", "twitter.com")
TEX = re.compile(r"[\\{}$&#%_^~]")


def list_share_values(record: RunRecord) -> dict[str, Any]:
    """Return the links and the citation by which a reader passes the bot on."""
    assert record.target
    people = " and ".join(f"@{profile.handle}" for profile in record.profiles)
    text = to_plain_text(f"Meet the AI bot of {people}, made with hubtweets", MAX_POST_CHARS)
    url = record.target.url
    return {
        "x": build_link("https://x.com/intent/post", text=text, url=url),
        "bluesky": build_link("https://bsky.app/intent/compose", text=f"{text} {url}"),
        "follow": [
            (f"@{profile.handle}", link)
            for profile in record.profiles
            if (link := find_follow_link(profile))
        ],
        "citation": cite(record.target.repo_id, people, url),
    }


def build_link(address: str, **parameters: str) -> Markup:
    """Return an address with a query, as the target of a Markdown link."""
    encoded = {name: quote(to_plain_text(text), safe="") for name, text in parameters.items()}
    return Markup(f"{address}?{'&'.join(f'{name}={text}' for name, text in encoded.items())}")


def find_follow_link(profile: Profile) -> Markup | None:
    """Return where to follow an author: X's dialog, or the public page of the account."""
    url = to_link_target(profile.url or "")
    if url and urlsplit(url).hostname in X_HOSTS:
        return build_link("https://x.com/intent/follow", screen_name=profile.handle)
    return url


def cite(repo_id: str, people: str, url: str) -> Markup:
    """Return the BibTeX entry of a repo."""
    owner, _, name = repo_id.rpartition("/")
    return Markup(
        f"@misc{{{name},\n"
        f"  author = {{{escape_tex(owner)}}},\n"
        f"  title = {{AI bot of {escape_tex(people)}}},\n"
        f"  url = {{{url}}}\n"
        "}"
    )


def escape_tex(text: str) -> str:
    """Escape the characters that TeX would read as commands; BibTeX counts even escaped braces."""
    return TEX.sub(
        lambda match: f"\\{match[0]}" if match[0] in "$&#%_" else f"\\char{ord(match[0])} ",
        to_plain_text(text),
    )
