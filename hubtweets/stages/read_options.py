"""Which posts are read, and what may be asked or spent for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hubtweets.config import Curation
from hubtweets.errors import HubtweetsError
from hubtweets.posts.post import Columns


def refuse_cost(cost: str) -> bool:
    """Raise HubtweetsError: no one confirmed the cost."""
    raise HubtweetsError(f"{cost}; pass ReadOptions(confirm=...) that returns True to spend it")


@dataclass(frozen=True)
class ReadOptions:
    """How posts are read and chosen."""

    posts: tuple[str, ...] = ()  # files, folders, services, or HANDLE=SOURCE; none: HANDLE.zip
    columns: Columns = field(default_factory=Columns)
    rules: Curation = field(default_factory=Curation)
    protected_posts: bool = False  # read the posts of a protected X account too
    refresh: bool = False  # read services again that were read before
    x_price: float = 0.005  # dollars for each post that is read from the X API
    confirm: Callable[[str], bool] = refuse_cost  # gets a sentence with the cost
    allow_others: bool = False  # sources may name authors that are not asked for

    def resolve(self, handles: Sequence[str]) -> dict[str, Any]:
        """Return the arguments of `curate`; raise HubtweetsError if posts are not found."""
        from hubtweets.posts import sources

        return {
            "named": sources.assign_sources(list(handles), self.posts, not self.allow_others),
            "columns": self.columns,
            "rules": self.rules,
            "fetching": sources.FetchOptions(self.x_price, self.refresh, self.confirm),
            "protected": self.protected_posts,
        }
