"""The notes that a Misskey server exports for an account's owner: notes-DATE.json.

It comes from Settings, Import and export, All notes. In: the file, which is a list of notes, alone
or in a zip or folder. Out: a Reading; the file doesn't say whose it is. Notes for followers, for
those they name, or for the own server alone are in it too: they are counted, and their text is not
kept.
Format: packages/backend/src/queue/processors/ExportNotesProcessorService.ts of
https://github.com/misskey-dev/misskey
"""

from collections.abc import Iterator
from typing import Any

from hubtweets.posts import json_stream
from hubtweets.posts.container import (
    Container,
    base_name,
    corrupt_error,
    describe_file,
    get_suffix,
)
from hubtweets.posts.parsing import MARKDOWN_LINK, get_text, to_utc
from hubtweets.posts.post import Kind, Post, Profile, Reading, Visibility

KEYS = {"createdAt", "renoteId", "replyId", "text", "visibility"}
API_KEYS = {"user", "userId"}  # of the API's answers, which may be of many accounts
VISIBILITIES: dict[Any, Visibility] = {"public": "public", "home": "unlisted"}


def find_files(container: Container) -> list[str]:
    """Return the name of the one JSON file in the container if its first item is a note."""
    names = [name for name in container.names if get_suffix(name) == ".json"]
    names = [name for name in names if not base_name(name).startswith(".")]
    if len(names) != 1:
        return []
    with container.open(names[0]) as file:
        items = json_stream.stream_items(file)
        try:
            before, first = next(items), next(items, None)
        except ValueError:
            return []
    return names if not before.strip() and is_note(first) else []


def is_note(item: Any) -> bool:
    return isinstance(item, dict) and set(item) >= KEYS and not API_KEYS & set(item)


def read(container: Container) -> Reading:
    """Read an export; HubtweetsError is raised in the posts if it is damaged."""
    warnings: list[str] = []
    posts = read_notes(container, find_files(container)[0], warnings)
    return Reading("misskey", Profile("", ""), None, posts, warnings)


def read_notes(container: Container, name: str, warnings: list[str]) -> Iterator[Post]:
    """Yield a post of each note, oldest first, as they are in the file."""
    own = set[str]()
    other = 0
    with container.open(name) as file:
        items = json_stream.stream_items(file)
        try:
            next(items)
            for item in items:
                if isinstance(item, dict) and (id := get_text(item, "id")):
                    yield to_post(item, id, own)
                    own.add(id)
                else:
                    other += 1
        except ValueError as error:
            raise corrupt_error(
                container, name, error, "Misskey", "export the notes again"
            ) from None
    if other:
        warnings.append(
            f"{describe_file(container, name)}: left out {other:,} items that are not notes"
        )


def to_post(note: dict, id: str, own: set[str]) -> Post:
    """Return the Post of a note; `own` are the ids of the account's earlier notes."""
    text, visibility = get_text(note, "text") or "", get_visibility(note)
    kind: Kind = "post"
    if replied := get_text(note, "replyId"):
        kind = "self_reply" if replied in own else "reply"
    elif get_text(note, "renoteId"):
        kind = "quote" if text else "repost"
    if visibility == "private":
        return Post(id, "", to_utc(note.get("createdAt")), None, kind, visibility)
    text, links = MARKDOWN_LINK.subn(r"\1", text)
    return Post(
        id,
        text,
        to_utc(note.get("createdAt")),
        None,
        kind,
        visibility,
        link=links > 0,
        warning=note.get("cw") is not None,
    )


def get_visibility(note: dict) -> Visibility:
    """Return the audience of a note.

    One for its own server alone (localOnly) is private, since not every server shows such notes
    to everyone.
    """
    visibility = note.get("visibility")
    if not isinstance(visibility, str) or note.get("localOnly", False) is not False:
        return "private"
    return VISIBILITIES.get(visibility, "private")
