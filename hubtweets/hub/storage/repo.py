"""A repo's settings and the names that a repo can have."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

KINDS = ("models", "datasets", "spaces")
REPO_ID = re.compile(r"(?!.*(--|\.\.))\w[\w.-]{0,95}/\w(?:[\w.-]{0,94}\w)?(?<!\.git)", re.ASCII)


@dataclass(frozen=True)
class Repo:
    kind: str
    id: str
    private: bool
    created_at: str
    gated: str | bool = False

    @property
    def path(self) -> str:
        """The repo's path on a Hub, without the host."""
        return f"/{'' if self.kind == 'models' else self.kind + '/'}{self.id}"


def format_now() -> str:
    """Return the current time in UTC as the Hub writes it, with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
