"""The file that Bluesky gives an account's owner: a repository of records, repo.car.

It comes from Settings, Account, Export my data. In: the .car file, alone or in a zip or folder. Its
records are found by walking the repository's tree, and only posts, reposts and the profile are
used. Out: a Reading. A repository names its account by DID only, and its avatar by hash only;
nothing is fetched from the network.
Sources: https://atproto.com/specs/repository and https://atproto.com/specs/record-key
"""

import re
from collections.abc import Iterator
from typing import Any

from hubtweets.errors import HubtweetsError
from hubtweets.posts.container import Container, base_name, describe_file
from hubtweets.posts.parsing import dig, get_list, get_text, is_address, to_utc
from hubtweets.posts.post import Kind, Post, Profile, Reading
from hubtweets.text import replace_surrogates

# bytes; libipld takes a file whole, and its records take some five times as much memory
MAX_CAR = 256 * 2**20
MAX_KEY = 1024  # bytes of a record's path
POST, REPOST, PROFILE = "app.bsky.feed.post", "app.bsky.feed.repost", "app.bsky.actor.profile"
WANTED = tuple(f"{collection}/".encode() for collection in (POST, REPOST, PROFILE))
DID = re.compile(r"did:[a-z]+:[\w.:%-]{1,200}", re.ASCII)
LINK = "app.bsky.richtext.facet#link"
QUOTES = ("app.bsky.embed.record", "app.bsky.embed.recordWithMedia")


def find_files(container: Container) -> list[str]:
    """Return the names of the .car files."""
    names = (name for name in container.names if name.endswith(".car"))
    return [name for name in names if not base_name(name).startswith(".")]


def read(container: Container) -> Reading:
    """Read a Bluesky export.

    Raises HubtweetsError if it is damaged, there are two, or libipld is not installed.
    """
    name, *others = find_files(container)
    if others:
        raise HubtweetsError(
            f"{container.path}: more than one archive in it ({name} and {others[0]}); "
            "give one of them"
        )
    where = describe_file(container, name)
    roots, blocks = decode_car(container, name, where)
    did, root = read_commit(roots, blocks, where)
    records, missing = walk_tree(blocks, root)
    for path, cid in records.items():
        missing += path.startswith(POST) and cid not in blocks
    profile = blocks.get(records.get(f"{PROFILE}/self", b""))
    warnings = find_consent_warnings(did, get_list(profile, "labels", "values"))
    if missing:
        warnings.append(
            f"{where}: blocks of the tree or of posts are missing ({missing:,}); "
            "download it again for all posts"
        )
    posts = read_posts(blocks, records, did)
    return Reading("bluesky-archive", to_profile(profile, did), None, posts, warnings)


def read_commit(roots: list, blocks: dict[bytes, Any], where: str) -> tuple[str, bytes]:
    """Return the account's DID and the root of its tree, which the first block names."""
    commit = blocks.get(roots[0]) if roots and isinstance(roots[0], bytes) else None
    did, root = get_text(commit, "did") or "", dig(commit, "data")
    if not DID.fullmatch(did) or not isinstance(root, bytes):
        raise HubtweetsError(
            f"{where} is not a Bluesky repository (it begins with no commit); download it again"
        )
    return did, root


def to_profile(profile: Any, did: str) -> Profile:
    return Profile(
        handle="",
        name=get_text(profile, "displayName") or "",
        network="Bluesky",
        bio=get_text(profile, "description"),
        account_id=did,
        url=f"https://bsky.app/profile/{did}",
    )


def decode_car(container: Container, name: str, where: str) -> tuple[list, dict[bytes, Any]]:
    """Return the roots and the blocks, by hash, of a CAR file."""
    try:
        import libipld
    except ImportError:
        raise HubtweetsError(
            f"{where}: libipld is needed to read a .car file, and is not installed; "
            "type: pip install 'hubtweets[bluesky]'"
        ) from None
    with container.open(name) as file:
        content = file.read(MAX_CAR + 1)
    if len(content) > MAX_CAR:
        raise HubtweetsError(
            f"{where} holds more than {MAX_CAR >> 20} MiB; "
            "read the account from its server instead: --posts bluesky:HANDLE"
        )
    try:
        header, blocks = libipld.decode_car(content)
    except (ValueError, RecursionError) as error:
        raise HubtweetsError(
            f"{where} is not a CAR file, or is cut or damaged ({error}); download it again"
        ) from None
    return get_list(header, "roots"), blocks


def walk_tree(blocks: dict[bytes, Any], root: Any) -> tuple[dict[str, bytes], int]:
    """Return the hashes of wanted records by path, and the number of missing nodes of the tree.

    A node is {l, e: [{p, k, v, t}]}, with a subtree left of all entries (l) and one right of each
    entry (t).
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
        entries = get_list(node, "e")
        left += [node.get("l"), *(dig(entry, "t") for entry in entries)]
        records |= read_entries(entries)
    return records, missing


def read_entries(entries: list) -> dict[str, bytes]:
    """Return the hashes of a node's wanted records by path.

    An entry's path is the first p bytes of the path before it, then k; v is the record's hash.
    """
    records, path = {}, b""
    for entry in entries:
        shared, rest, value = dig(entry, "p"), dig(entry, "k"), dig(entry, "v")
        if not isinstance(shared, int) or not isinstance(rest, bytes):
            continue
        if not 0 <= shared <= len(path) or shared + len(rest) > MAX_KEY:
            continue
        path = path[:shared] + rest
        if path.startswith(WANTED) and isinstance(value, bytes):
            records[path.decode(errors="replace")] = value
    return records


def read_posts(blocks: dict[bytes, Any], records: dict[str, bytes], did: str) -> Iterator[Post]:
    for path, cid in records.items():
        collection, _, key = path.partition("/")
        if collection == REPOST:
            yield to_repost(key, blocks.get(cid))
        elif collection == POST and isinstance(record := blocks.get(cid), dict):
            yield to_post(key, record, did)


def find_consent_warnings(account: str, labels: list) -> list[str]:
    """Return a warning if the account asks to be hidden from people who are not logged in."""
    if not any(dig(label, "val") == "!no-unauthenticated" for label in labels):
        return []
    return [
        f"{account} asks not to be shown to those who are not logged in (!no-unauthenticated): "
        "publish the bot only with their consent"
    ]


def to_repost(key: str, record: Any) -> Post:
    return Post(replace_surrogates(key), "", to_utc(dig(record, "createdAt")), kind="repost")


def to_post(key: str, record: dict[str, Any], did: str) -> Post:
    """Return the Post of a record of app.bsky.feed.post; `did` is its author."""
    text, link = cut_links(get_text(record, "text") or "", record)
    lang = next(iter(get_list(record, "langs")), None)
    return Post(
        id=replace_surrogates(key),
        text=text,
        created_at=to_utc(record.get("createdAt")),
        lang=replace_surrogates(lang) if lang and isinstance(lang, str) else None,
        kind=get_kind(record, did),
        link=link,
    )


def get_kind(record: dict[str, Any], did: str) -> Kind:
    if isinstance(record.get("reply"), dict):
        parent = get_text(dig(record, "reply", "parent"), "uri") or ""
        return "self_reply" if parent.startswith(f"at://{did}/") else "reply"
    return "quote" if dig(record, "embed", "$type") in QUOTES else "post"


def cut_links(text: str, record: dict[str, Any]) -> tuple[str, bool]:
    """Cut out the links that a record's facets mark, and return whether there was one.

    A facet gives the position of its words in UTF-8. Words that are not the link's address are the
    author's, and stay. Of two that overlap the first counts, as in Bluesky's own app.
    """
    encoded = text.encode()
    kept, position, cut = [], 0, False
    for start, end, address in sorted([*read_facets(record), *read_entities(text, record)]):
        if not position <= start < end <= len(encoded):
            continue
        if not is_boundary(encoded, start) or not is_boundary(encoded, end):
            continue
        if is_address(encoded[start:end].decode(), address):
            kept.append(encoded[position:start])
            cut = True
        else:  # the author's own words
            kept.append(encoded[position:end])
        position = end
    return b"".join([*kept, encoded[position:]]).decode(), cut


def read_facets(record: dict[str, Any]) -> Iterator[tuple[int, int, str]]:
    """Yield the start and end, in bytes of UTF-8, and the address of a record's links."""
    for facet in get_list(record, "facets"):
        start, end = dig(facet, "index", "byteStart"), dig(facet, "index", "byteEnd")
        links = [one for one in get_list(facet, "features") if dig(one, "$type") == LINK]
        if isinstance(start, int) and isinstance(end, int) and links:
            yield start, end, get_text(links[0], "uri") or ""


def read_entities(text: str, record: dict[str, Any]) -> Iterator[tuple[int, int, str]]:
    """Yield the same of the links of a record of 2022 or 2023, which counts units of UTF-16."""
    units = text.encode("utf-16-le")
    for entity in get_list(record, "entities"):
        start, end = dig(entity, "index", "start"), dig(entity, "index", "end")
        if dig(entity, "type") != "link" or not isinstance(start, int) or not isinstance(end, int):
            continue
        if 0 <= start < end <= len(units) // 2:
            first = count_utf8(units[: 2 * start])
            length = count_utf8(units[2 * start : 2 * end])
            yield first, first + length, get_text(entity, "value") or ""


def count_utf8(units: bytes) -> int:
    """Return how many bytes of UTF-8 a text in UTF-16 takes."""
    return len(units.decode("utf-16-le", errors="replace").encode())


def is_boundary(encoded: bytes, place: int) -> bool:
    """Return whether a character begins, or the text ends, at a position in UTF-8."""
    return place >= 0 and (place == len(encoded) or encoded[place] & 0xC0 != 0x80)
