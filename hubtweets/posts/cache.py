"""Posts fetched from a service, scrubbed and kept in a file, so that they are paid for once.

The file is JSON Lines: the first line is the profile with everything else that is not a post, each
other line a post.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from hubtweets.errors import HubtweetsError
from hubtweets.files import replace_atomically
from hubtweets.posts.pii import scrub
from hubtweets.posts.post import Post, Profile, Reading
from hubtweets.posts.source_kinds import SOURCES


def write_reading(reading: Reading, path: Path) -> None:
    """Write a reading atomically, without personal data."""
    with replace_atomically(path) as partial, partial.open("w", encoding="utf-8") as file:
        scrubbed = scrub.scrub_posts((reading.profile.handle, post) for post in reading.posts)
        # before the head, since this also fills the warnings
        posts = [json.dumps(post._asdict(), ensure_ascii=False) for _, post in scrubbed]
        head = json.dumps(make_head(reading), ensure_ascii=False)
        file.write("\n".join([head, *posts]) + "\n")


def make_head(reading: Reading) -> dict:
    profile = reading.profile
    name, bio = (scrub.scrub(text or "")[0] for text in (profile.name, profile.bio))
    return {
        "kind": reading.kind,
        "profile": asdict(profile) | {"name": name, "bio": bio or None},
        "avatar": base64.b64encode(reading.avatar).decode() if reading.avatar else None,
        "warnings": reading.warnings,
        "dataset": reading.dataset,
    }


def read_reading(path: Path) -> Reading:
    """Read what `write_reading` wrote; raise HubtweetsError if the file is different."""
    from pydantic import TypeAdapter

    try:
        with path.open(encoding="utf-8") as lines:
            head = json.loads(next(lines))
        profile = TypeAdapter(Profile).validate_python(head["profile"])
        avatar = base64.b64decode(head["avatar"]) if head["avatar"] else None
        dataset = head.get("dataset")
        if head["kind"] not in SOURCES or not isinstance(dataset, str | None):
            raise corrupt_error(path)
        return Reading(
            head["kind"],
            profile,
            avatar,
            read_posts(path),
            [str(warning) for warning in head["warnings"]],
            dataset,
        )
    except (ValueError, KeyError, TypeError, StopIteration, RecursionError):
        raise corrupt_error(path) from None


def read_posts(path: Path) -> Iterator[Post]:
    from pydantic import TypeAdapter

    adapter = TypeAdapter(Post)
    with path.open(encoding="utf-8") as lines:
        next(lines)
        try:
            for line in lines:
                yield adapter.validate_python(json.loads(line), strict=True)
        except (ValueError, TypeError, RecursionError):
            raise corrupt_error(path) from None


def corrupt_error(path: Path) -> HubtweetsError:
    return HubtweetsError(f"{path}: corrupt; remove it, and the posts are fetched again")
