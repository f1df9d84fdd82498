"""The archive that a Mastodon server gives an account's owner.

In: a zip, a tar.gz, the unpacked folder, or its outbox.json alone. outbox.json (an ActivityPub
collection of the account's activities) is streamed; actor.json and the avatar beside it are read.
Bookmarks, likes and pictures are not opened. Out: a Reading. Followers-only and direct posts are in
an archive too: they are counted, and their text is not kept. Only what the archive's owner posted
(Create) and boosted (Announce) is read.
Formats: https://docs.joinmastodon.org/spec/activitypub/ and
https://www.w3.org/TR/activitystreams-vocabulary/
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from hubtweets.errors import HubtweetsError
from hubtweets.posts import json_stream
from hubtweets.posts.container import Container, base_name, corrupt_error
from hubtweets.posts.html_text import html_to_text
from hubtweets.posts.parsing import dig, get_text, to_utc
from hubtweets.posts.post import Kind, Post, Profile, Reading, Visibility, narrowest
from hubtweets.text import replace_surrogates

# the items of likes and bookmarks are not objects
OUTBOX = re.compile(rb'"orderedItems"\s*:\s*\[\s*\{')
HEAD_BYTES = 16_384  # bytes
BESIDE = re.compile(r"actor\.json|avatar\.(gif|jpe?g|png|webp)")
PUBLIC = ("https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public")
ACTOR = re.compile(
    r"https?://((?:[a-z\d-]+\.)+[a-z\d-]+)(?:/(?:users/|@)(\w[\w.-]*))?", re.ASCII | re.IGNORECASE
)
NAME = re.compile(r"\w[\w.-]*", re.ASCII)
STATUS = re.compile(r"/statuses/(\w+)", re.ASCII)
TYPES = ("Note", "Question", "Article", "Page")  # of posts; a deleted one is a Tombstone


def find_files(container: Container) -> list[str]:
    """Return outbox.json, then actor.json and the avatar beside it; nothing without an outbox."""
    outboxes = [name for name in container.names if base_name(name) == "outbox.json"]
    if not outboxes and container.path.suffix == ".json" and container.path.is_file():
        with container.open(container.path.name) as file:  # under any name
            outboxes = container.names if OUTBOX.search(file.read(HEAD_BYTES)) else []
    if not outboxes:
        return []
    folder = outboxes[0].removesuffix(base_name(outboxes[0]))
    beside = []
    for name in container.names:
        if name.startswith(folder) and BESIDE.fullmatch(name[len(folder) :]):
            beside.append(name)
    return [*outboxes, *sorted(beside)]


def read(container: Container) -> Reading:
    """Read a Mastodon archive; raise HubtweetsError if it is damaged or there are two."""
    outbox, *beside = find_files(container)
    folder = outbox.removesuffix(base_name(outbox))
    if beside and base_name(beside[0]) == "outbox.json":
        raise HubtweetsError(
            f"{container.path}: more than one archive in it ({outbox} and {beside[0]}); "
            "give one of them"
        )
    if folder + "actor.json" in beside:
        actor = read_actor(container, folder + "actor.json")
    else:
        actor = find_first_actor(container, outbox)
    account_id = get_address(actor) or get_address(find_first_actor(container, outbox))
    found = ACTOR.match(account_id or "")
    host, name_in_id = found.groups() if found else (None, None)
    profile = to_profile(actor, account_id, host, name_in_id)
    account = f"@{profile.handle}@{host}" if host else f"@{profile.handle}"
    return Reading(
        kind="mastodon-archive",
        profile=profile,
        avatar=read_avatar(container, folder, beside, actor),
        posts=read_posts(container, outbox, account_id),
        warnings=find_consent_warnings(account, actor),
    )


def to_profile(
    actor: Any, account_id: str | None, host: str | None, name_in_id: str | None
) -> Profile:
    """Return the Profile of an actor; the parts of its address stand in for missing fields."""
    handle = get_text(actor, "preferredUsername") or ""
    if not NAME.fullmatch(handle):
        handle = name_in_id or ""
    return Profile(
        handle=handle,
        name=get_text(actor, "name") or handle,
        network="Mastodon",
        bio=html_to_text(get_text(actor, "summary") or "")[0] or None,
        account_id=account_id,
        url=f"https://{host}/@{handle}" if host and handle else None,
    )


def read_avatar(container: Container, folder: str, beside: list[str], actor: Any) -> bytes | None:
    """Return the picture beside the outbox that the actor names, or None."""
    picture = folder + base_name(get_text(dig(actor, "icon"), "url") or "")
    is_picture = picture in beside and picture != folder + "actor.json"
    return container.read(picture) if is_picture else None


def read_actor(container: Container, name: str) -> Any:
    try:
        return json.loads(container.read(name).decode("utf-8-sig", errors="replace"))
    except (ValueError, RecursionError) as error:
        raise corrupt_error(container, name, error, "Mastodon") from None


def find_first_actor(container: Container, outbox: str) -> dict:
    """Return the owner as an outbox alone names it: the actor of the first activity with one."""
    for activity in read_activities(container, outbox):
        if address := get_address(dig(activity, "actor")):
            return {"id": address}
    return {"id": None}


def get_address(item: Any) -> str | None:
    """Return the address of an actor or an object, which may be given by its address alone."""
    address = item if isinstance(item, str) else get_text(item, "id")
    return (
        replace_surrogates(address)
        if address and address.startswith(("https://", "http://"))
        else None
    )


def read_activities(container: Container, outbox: str) -> Iterator[Any]:
    with container.open(outbox) as file:
        try:
            activities = json_stream.stream_items(file, "orderedItems")
            next(activities)  # the text before the list
            yield from activities
        except ValueError as error:
            raise corrupt_error(container, outbox, error, "Mastodon") from None


def read_posts(container: Container, outbox: str, account_id: str | None) -> Iterator[Post]:
    for activity in read_activities(container, outbox):
        if post := to_post(activity, account_id):
            yield post


def find_consent_warnings(account: str, actor: Any) -> list[str]:
    """Return a warning if the account asks not to be found by search engines or in directories."""
    off = [f"{name} is off" for name in ("indexable", "discoverable") if dig(actor, name) is False]
    if dig(actor, "noindex") is True:
        off.append("noindex is on")
    if not off:
        return []
    return [
        f"{account} asks not to be indexed ({' and '.join(off)}): "
        "publish the bot only with their consent"
    ]


def to_post(activity: Any, owner: str | None) -> Post | None:
    """Return the Post of an owner's Create or Announce (a boost); None for other activities.

    A Create and the note in it each have an audience. Servers write the same for both, and the
    narrower one counts.
    """
    if owner is None or not is_only_owner(dig(activity, "actor"), owner):
        return None
    boost, note = dig(activity, "type") == "Announce", dig(activity, "object")
    if boost:
        note = activity
    elif (
        dig(activity, "type") != "Create"
        or dig(note, "type") not in TYPES
        or not is_only_owner(dig(note, "attributedTo"), owner)
    ):
        return None
    id = get_text(note, "id") or ""
    content, languages = note.get("content"), note.get("contentMap")
    return make_post(
        id=found[1] if (found := STATUS.search(id)) else id,
        created_at=to_utc(note.get("published")),
        kind="repost" if boost else get_kind(note, owner),
        visibility=narrowest(get_visibility(activity), get_visibility(note)),
        content=content,
        lang=next(iter(languages), None) if isinstance(languages, dict) else None,
        warning=note.get("summary"),
    )


def is_only_owner(value: Any, owner: str) -> bool:
    """Return whether a property names the owner and no one else."""
    named = value if isinstance(value, list) else [value]
    return bool(named) and all(get_address(one) == owner for one in named)


def get_kind(note: dict, owner: str) -> Kind:
    if replied := get_text(note, "inReplyTo"):
        return "self_reply" if replied.startswith(owner + "/") else "reply"
    return "quote" if get_text(note, "quote", "quoteUri", "quoteUrl", "_misskey_quote") else "post"


def make_post(
    *,
    id: str,
    created_at: str | None,
    kind: Kind,
    visibility: Visibility,
    content: object,
    lang: str | None,
    warning: object,
) -> Post:
    """Return a Post; without text, language and warning if it is private or a repost.

    `content` is HTML, `warning` the text of a content warning.
    """
    if kind == "repost" or visibility == "private":
        return Post(id, "", created_at, None, kind, visibility)
    text, link = html_to_text(content if isinstance(content, str) else "")
    warned = isinstance(warning, str) and bool(warning.strip())
    return Post(
        id,
        text,
        created_at,
        replace_surrogates(lang) if lang else None,
        kind,
        visibility,
        link=link,
        warning=warned,
    )


def get_visibility(note: dict) -> Visibility:
    """Return the audience of a note: `to` everyone is public, `cc` everyone is unlisted.

    Any other note is for followers or for those named in it.
    """
    if is_to_everyone(note.get("to")):
        return "public"
    return "unlisted" if is_to_everyone(note.get("cc")) else "private"


def is_to_everyone(value: Any) -> bool:
    return any(address in PUBLIC for address in (value if isinstance(value, list) else [value]))
