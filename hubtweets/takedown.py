"""A bot and its dataset off the Hub, and what may remain elsewhere."""

from collections.abc import Callable, Iterator

from hubtweets.publisher import Hub


def take_down(hub: Hub, repo_id: str, hide: bool, confirm: Callable[[str], bool]) -> Iterator[str]:
    """Delete or hide the bot's repo and its dataset once it is confirmed, and yield what was done and what may remain."""
    # TODO helper E
    yield from ()
