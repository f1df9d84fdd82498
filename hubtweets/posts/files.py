"""Plain files of posts: JSON Lines, one object with a `text` per line."""

import json
from pathlib import Path

from hubtweets.errors import HubtweetsError
from hubtweets.posts import Post, Profile, Reading, to_utc, well_formed


def read_jsonl(path: Path, handle: str) -> Reading:
    """Read `{"text": ..., "id"?, "created_at"?, "lang"?}` lines, in the file's order; raise HubtweetsError with the line that is none."""
    posts = []
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                item = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise HubtweetsError(f"{path}: line {number} is not JSON ({error}); write one object a line") from None
            if not isinstance(item, dict) or not isinstance(item.get("text"), str):
                raise HubtweetsError(f'{path}: line {number} has no "text"; write one object a line, such as {{"text": "my post"}}')
            posts.append(
                Post(
                    id=well_formed(str(item.get("id", number))),
                    text=well_formed(item["text"]),
                    created_at=to_utc(item.get("created_at")),
                    lang=well_formed(item["lang"]) if isinstance(item.get("lang"), str) else None,
                )
            )
    return Reading("jsonl", Profile(handle, handle), None, posts)
