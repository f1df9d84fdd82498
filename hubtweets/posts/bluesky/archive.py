"""The file that Bluesky gives an account's owner (Settings, Account, Export my data): a repository of records, repo.car.

In: the .car file, alone or in a zip or folder; its records are found by walking the repository's tree, and only posts, reposts and the profile are
looked at. Out: a Reading. A repository names its account by DID only, and its avatar by hash only; nothing is asked of the network.
Sources: https://atproto.com/specs/repository and https://atproto.com/specs/record-key
"""

import re
from collections.abc import Iterator
from typing import Any

from hubtweets.errors import HubtweetsError
from hubtweets.posts.container import Container, base_name
from hubtweets.posts.parsing import dig, get_list, get_text, is_address, to_utc
from hubtweets.posts.post import Kind, Post, Profile, Reading
from hubtweets.text import replace_surrogates

MAX_CAR = (
    256 * 2**20
)  # bytes; libipld takes a file whole, and its records take some five times as much memory
MAX_KEY = 1024  # bytes of a record's path
POST, REPOST, PROFILE = "app.bsky.feed.post", "app.bsky.feed.repost", "app.bsky.actor.profile"
WANTED = tuple(f"{collection}/".encode() for collection in (POST, REPOST, PROFILE))
DID = re.compile(r"did:[a-z]+:[\w.:%-]{1,200}", re.ASCII)
LINK = "app.bsky.richtext.facet#link"
QUOTES = ("app.bsky.embed.record", "app.bsky.embed.recordWithMedia")


def find_files(container: Container) -> list[str]:
    """Return the names of the .car files."""
    return [
        name
        for name in container.names
        if name.endswith(".car") and not base_name(name).startswith(".")
    ]


def read(container: Container) -> Reading:
    """Read a Bluesky export; raise HubtweetsError where it is damaged or more than one, or libipld is not installed."""
    name, *others = find_files(container)
    if others:
        raise HubtweetsError(
            f"{container.path}: more than one archive in it ({name} and {others[0]}); give one of them"
        )
    where = container.path if container.path.name == name else f"{container.path}: {name}"
    roots, blocks = decode_car(container, name, str(where))
    commit = blocks.get(roots[0]) if roots and isinstance(roots[0], bytes) else None
    did = get_text(commit, "did") or ""
    if not DID.fullmatch(did) or not isinstance(dig(commit, "data"), bytes):
        raise HubtweetsError(
            f"{where} is no Bluesky repository (it begins with no commit); download it again"
        )
    records, missing = walk_tree(blocks, dig(commit, "data"))
    lost = missing + sum(
        cid not in blocks for path, cid in records.items() if path.startswith(POST)
    )
    profile = blocks.get(records.get(f"{PROFILE}/self", b""))
    return Reading(
        kind="bluesky-archive",
        profile=Profile(
            handle="",
            name=get_text(profile, "displayName") or "",
            network="Bluesky",
            bio=get_text(profile, "description"),
            account_id=did,
            url=f"https://bsky.app/profile/{did}",
        ),
        avatar=None,
        posts=read_posts(blocks, records, did),
        warnings=[
            *find_consent_warnings(did, get_list(profile, "labels", "values")),
            *(
                [
                    f"{where}: blocks of the tree or of posts are missing ({lost:,}); download it again for all posts"
                ]
                if lost
                else []
            ),
        ],
    )


def decode_car(container: Container, name: str, where: str) -> tuple[list, dict[bytes, Any]]:
    """Return the roots and the blocks, by hash, of a CAR file."""
    try:
        import libipld
    except ImportError:
        raise HubtweetsError(
            f"{where}: a .car file is read with libipld, which is not installed; type: pip install 'hubtweets[bluesky]'"
        ) from None
    with container.open(name) as file:
        content = file.read(MAX_CAR + 1)
    if len(content) > MAX_CAR:
        raise HubtweetsError(
            f"{where} holds more than {MAX_CAR >> 20} MiB; read the account from its server instead: --posts bluesky:HANDLE"
        )
    try:
        header, blocks = libipld.decode_car(content)
    except (ValueError, RecursionError) as error:
        raise HubtweetsError(
            f"{where} is no CAR file, or one that is cut or damaged ({error}); download it again"
        ) from None
    return get_list(header, "roots"), blocks


def walk_tree(blocks: dict[bytes, Any], root: Any) -> tuple[dict[str, bytes], int]:
    """Return the hashes of the posts, the reposts and the profile by path, and how many nodes of the tree are missing.

    A node is {l, e: [{p, k, v, t}]}: subtrees left of all and right of each entry; a path is the first p bytes of the one before it, then k.
    """
    records: dict[str, bytes] = {}
    missing, seen, left = 0, set(), [root]
    while left:
        cid = left.pop()
        if cid is None or (isinstance(cid, bytes) and cid in seen):
            continue
        node = blocks.get(cid) if isinstance(cid, bytes) else None
        if not isinstance(node, dict):
            missing += 1
            continue
        seen.add(cid)
        left.append(node.get("l"))
        path = b""
        for entry in get_list(node, "e"):
            shared, rest, value = dig(entry, "p"), dig(entry, "k"), dig(entry, "v")
            left.append(dig(entry, "t"))
            if (
                not isinstance(shared, int)
                or not isinstance(rest, bytes)
                or not 0 <= shared <= len(path)
                or shared + len(rest) > MAX_KEY
            ):
                continue
            path = path[:shared] + rest
            if path.startswith(WANTED) and isinstance(value, bytes):
                records[path.decode(errors="replace")] = value
    return records, missing


def read_posts(blocks: dict[bytes, Any], records: dict[str, bytes], did: str) -> Iterator[Post]:
    for path, cid in records.items():
        collection, _, key = path.partition("/")
        if collection == REPOST:
            yield to_repost(key, blocks.get(cid))
        elif collection == POST and isinstance(record := blocks.get(cid), dict):
            yield to_post(key, record, did)


def find_consent_warnings(account: str, labels: list) -> list[str]:
    """Return a warning where an account's owner chose not to be shown to who is not logged in."""
    if not any(dig(label, "val") == "!no-unauthenticated" for label in labels):
        return []
    return [
        f"{account} asks not to be shown to those who are not logged in (!no-unauthenticated): publish the bot only with their consent"
    ]


def to_repost(key: str, record: Any) -> Post:
    return Post(replace_surrogates(key), "", to_utc(dig(record, "createdAt")), kind="repost")


def to_post(key: str, record: dict[str, Any], did: str) -> Post:
    """Return the Post of a record of app.bsky.feed.post; `did` is its author."""
    kind: Kind = "post"
    if isinstance(record.get("reply"), dict):
        kind = (
            "self_reply"
            if (get_text(dig(record, "reply", "parent"), "uri") or "").startswith(f"at://{did}/")
            else "reply"
        )
    elif dig(record, "embed", "$type") in QUOTES:
        kind = "quote"
    text, link = cut_links(get_text(record, "text") or "", record)
    lang = next(iter(get_list(record, "langs")), None)
    return Post(
        id=replace_surrogates(key),
        text=text,
        created_at=to_utc(record.get("createdAt")),
        lang=replace_surrogates(lang) if lang and isinstance(lang, str) else None,
        kind=kind,
        link=link,
    )


def cut_links(text: str, record: dict[str, Any]) -> tuple[str, bool]:
    """Cut out the links that a record's facets mark by places in UTF-8, and tell whether there was one; a place that can't be is left alone.

    Words that are not the link's address are the author's, and stay. Of two that overlap the first counts, as in Bluesky's own app.
    """
    encoded = text.encode()
    kept, position, cut = [], 0, False
    for start, end, address in sorted([*read_facets(record), *read_entities(text, record)]):
        if (
            position <= start < end <= len(encoded)
            and is_boundary(encoded, start)
            and is_boundary(encoded, end)
        ):
            if is_address(encoded[start:end].decode(), address):
                kept.append(encoded[position:start])
                cut = True
            else:  # words of the author's own
                kept.append(encoded[position:end])
            position = end
    return b"".join([*kept, encoded[position:]]).decode(), cut


def read_facets(record: dict[str, Any]) -> Iterator[tuple[int, int, str]]:
    for facet in get_list(record, "facets"):
        start, end = dig(facet, "index", "byteStart"), dig(facet, "index", "byteEnd")
        addresses = [
            get_text(feature, "uri") or ""
            for feature in get_list(facet, "features")
            if dig(feature, "$type") == LINK
        ]
        if isinstance(start, int) and isinstance(end, int) and addresses:
            yield start, end, addresses[0]


def read_entities(text: str, record: dict[str, Any]) -> Iterator[tuple[int, int, str]]:
    """Yield the places of the links of a record of 2022 or 2023, which gives them in units of UTF-16."""
    units = text.encode("utf-16-le")
    for entity in get_list(record, "entities"):
        start, end = dig(entity, "index", "start"), dig(entity, "index", "end")
        if (
            isinstance(start, int)
            and isinstance(end, int)
            and 0 <= start < end <= len(units) // 2
            and dig(entity, "type") == "link"
        ):
            before, within = (
                units[2 * a : 2 * b].decode("utf-16-le", errors="replace").encode()
                for a, b in ((0, start), (start, end))
            )
            yield len(before), len(before) + len(within), get_text(entity, "value") or ""


def is_boundary(encoded: bytes, place: int) -> bool:
    """Tell whether a character begins, or the text ends, at a place in UTF-8."""
    return place >= 0 and (place == len(encoded) or encoded[place] & 0xC0 != 0x80)
