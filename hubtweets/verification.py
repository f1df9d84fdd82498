"""Every claim of a published bot, checked against the files that are there."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hubtweets.publisher import Hub


@dataclass(frozen=True)
class Claim:
    """What is claimed, whether it holds (None: could not be checked here), and what was found."""

    name: str
    holds: bool | None
    found: str

    def __str__(self) -> str:
        return f"{ {True: 'ok', False: 'FALSE', None: 'unchecked'}[self.holds] }: {self.name}: {self.found}"


def verify(hub: Hub, repo_id: str, revision: str, runs: Path, deep: bool) -> Iterator[Claim]:
    """Download a bot at a revision and check each claim; with `deep` score the held-out posts of its run folder again."""
    # TODO helper E
    yield from ()
