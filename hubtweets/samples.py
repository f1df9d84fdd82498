"""What a model wrote, how much of it stands in the training posts, and what of it is shown."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Copied:
    """How much of a text stands in the training posts: its longest common run in words and characters, its share in long runs."""

    words: int
    characters: int
    share: float


@dataclass(frozen=True)
class Sample:
    """A text that the published weights wrote on from a prompt; in the public record it is None where it copies a post."""

    prompt: str
    text: str | None
    copied: Copied


@dataclass(frozen=True)
class Samples:
    """What the published weights wrote, the seed and the settings they wrote it with, and which of it (from 1) stands on the card and the thumbnail.

    `chosen` tells whether somebody picked those, or they are the first ones from each prompt that copy nothing.
    """

    seed: int
    settings: dict[str, float]
    samples: tuple[Sample, ...]
    picked: tuple[int, ...]
    chosen: bool = False

    def shown(self) -> list[Sample]:
        """Return the samples that were picked."""
        return [self.samples[number - 1] for number in self.picked]


@dataclass(frozen=True)
class Audit:
    """How many of the samples are copies, and, for the floor, how many of the held-out posts: people repeat themselves.

    A text is a copy where its share in long common runs reaches the threshold.
    """

    threshold: float
    samples: int
    copies: int
    held_out: int
    held_out_copies: int
