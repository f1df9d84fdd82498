"""What is checked before a training: everything that a push could fail on later, and all of it at once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from hubtweets import publisher, terms
from hubtweets.base import resolve
from hubtweets.publisher import Hub, Wishes
from hubtweets.record import Base, Consent, Target, Terms
from hubtweets.run import Run


@dataclass(frozen=True)
class Ready:
    """What was found: where the bot will stand, on which base (and where that is loaded from), under which terms, and how it is pushed."""

    target: Target
    base: Base
    location: str
    terms: Terms
    wishes: Wishes


def check(
    run: Run, hub: Hub, namespace: str | None, wishes: Wishes, base: str, license: str | None, consent: Consent | None, curate: Callable[[], None]
) -> Ready:
    """Read the posts and check all that publishing needs; raise HubtweetsError with every problem, each with its remedy."""
    # TODO helper D
    target = publisher.choose_target(hub, run.record.handle, namespace)
    chosen, location = resolve(base)
    curate()
    agreed = terms.terms_of(chosen, license, consent)
    return Ready(target, chosen, location, agreed, replace(wishes, private=terms.is_private(wishes.private, run.record.sources, agreed)))


def plan(run: Run, hub: Hub, ready: Ready) -> Iterator[str]:
    """Yield what a push would do: files with sizes, what differs from the Hub's, the card."""
    # TODO helper D
    yield ready.target.url
