"""The files of a push that a .gitignore excludes, by git's own rules.

The patterns are untrusted. RE2 matches them in linear time and bounded memory; Python's regular
expressions can take exponential time.
"""

import re
from collections.abc import Iterable

import re2
from pathspec import GitIgnoreSpec

from hubtweets.hub.errors import HubError

MAX_GITIGNORE_BYTES = 2**15


def find_ignored(gitignore: str, paths: Iterable[str]) -> set[str]:
    """Return the paths that a .gitignore's patterns match.

    Raises HubError 400 if the patterns can't be read, since they would then protect nothing.
    """
    if len(gitignore.encode("utf-8", "replace")) > MAX_GITIGNORE_BYTES:
        raise HubError(400, f".gitignore is over {MAX_GITIGNORE_BYTES} bytes; shorten it")
    try:
        spec = GitIgnoreSpec.from_lines(gitignore.splitlines(), backend="re2")
        return set(spec.match_files(paths))
    except (ValueError, re.error, re2.error) as error:
        raise HubError(
            400, f".gitignore can't be read: {error}; correct that line, or use simpler patterns"
        ) from None
