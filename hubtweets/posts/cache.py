"""What was read over the network, kept in a file, scrubbed, so that it is read, and paid for, once.

JSON Lines: the first is the profile with everything else that is no post, the others are posts.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import get_args

from hubtweets.errors import HubtweetsError
from hubtweets.files import replace_atomically
from hubtweets.posts.pii import scrub
from hubtweets.posts.post import Post, Profile, Reading
from hubtweets.posts.source_kinds import SourceKind


def write_reading(reading: Reading, path: Path) -> None:
    """Write a reading, all of it or nothing."""
    with replace_atomically(path) as partial, partial.open("w", encoding="utf-8") as file:
        scrubbed = scrub.scrub_posts((reading.profile.handle, post) for post in reading.posts)
        posts = [
            json.dumps(post._asdict(), ensure_ascii=False) for _, post in scrubbed
        ]  # which also fills the warnings
        avatar = base64.b64encode(reading.avatar).decode() if reading.avatar else None
        name, bio = (
            scrub.scrub(text or "")[0] for text in (reading.profile.name, reading.profile.bio)
        )
        profile = asdict(reading.profile) | {"name": name, "bio": bio or None}
        head = {
            "kind": reading.kind,
            "profile": profile,
            "avatar": avatar,
            "warnings": reading.warnings,
            "dataset": reading.dataset,
        }
        file.write("\n".join([json.dumps(head, ensure_ascii=False), *posts]) + "\n")


def read_reading(path: Path) -> Reading:
    """Read what `write` wrote; raise HubtweetsError where it is something else."""
    from pydantic import TypeAdapter

    try:
        with path.open(encoding="utf-8") as lines:
            head = json.loads(next(lines))
        profile = TypeAdapter(Profile).validate_python(head["profile"])
        avatar = base64.b64decode(head["avatar"]) if head["avatar"] else None
        if head["kind"] not in get_args(SourceKind):
            raise corrupt_error(path)
        dataset = head.get("dataset")
        if not isinstance(dataset, str | None):
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
    return HubtweetsError(
        f"{path}: not as it was written; remove it, and it is read from the service again"
    )
