"""Which names a branch or a tag can have: those of git (git check-ref-format)."""

import re
from urllib.parse import quote

MAX_FILE_NAME_BYTES = 255  # a ref is a file with its quoted name
# control characters, spaces and what git gives a meaning; ".." and "@{" are ranges and reflogs
FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\\ud800-\udfff]|\.\.|@\{")


def is_ref_name(name: str) -> bool:
    """Check whether a branch or a tag can have a name."""
    steps = name.split("/")
    return (
        not FORBIDDEN.search(name)
        and not any(step == "" or step.startswith(".") or step.endswith(".lock") for step in steps)
        and not name.endswith(".")
        and not name.startswith(("-", "refs/"))  # git takes refs/x, the Hub refuses it
        and name not in ("@", "HEAD")
        and len(quote(name, safe="")) <= MAX_FILE_NAME_BYTES
    )
