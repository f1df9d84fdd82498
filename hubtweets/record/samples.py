"""What a model wrote, how much of it stands in the training posts, and what of it is shown."""

from collections.abc import Sequence
from dataclasses import dataclass

MAX_NEW_TOKENS = 160
SAMPLING_SETTINGS: dict[str, float] = {
    "temperature": 1.0,
    "top_p": 0.95,
    "top_k": 0,
    "max_new_tokens": MAX_NEW_TOKENS,
}  # that samples are drawn with
# What copies may be more of the samples than of the held-out posts: of 200 samples, the example's model copies 1 % (its author 6 %), that of 4,383
# posts of @digitalgov 0 % (5 %), and one that 199 posts were shown to 50 times 9 % (0 %).
MAX_COPY_EXCESS = 0.05
# The first 12 characters of a held-out post stand in another post of its author in 53 of 100 cases, the first 28 in 8 (@digitalgov, 4,383 posts).
# A wide character, such as an ideograph, counts as two there, as it does on X.
MIN_WHOLE_CHARS = 28  # characters of a text that counts as copied where all of it stands in a post; shorter ones are how people talk
MIN_RUN_CHARS = 40  # characters of a run that counts as copied in a longer text


@dataclass(frozen=True)
class Overlap:
    """How much of a text stands in the training posts: its longest common run in words and characters, its share in long runs."""

    words: int
    characters: int
    share: float


@dataclass(frozen=True)
class Sample:
    """A text that the published weights wrote on from a prompt; in the public record it is None where it copies a post."""

    prompt: str
    text: str | None
    copied: Overlap


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

    def list_picked(self) -> list[Sample]:
        """Return the samples that were picked."""
        return [self.samples[number - 1] for number in self.picked]


@dataclass(frozen=True)
class MemorizationAudit:
    """How many of the samples are copies, and, for the floor, how many of the held-out posts: people repeat themselves.

    A text is a copy where its share in long common runs reaches the threshold. A run is long from `long` characters on; a shorter text counts if all
    of it is found and it has at least `whole` characters. `margin` is how much the rate may exceed the floor before the card warns.
    """

    threshold: float
    samples: int
    copies: int
    held_out: int
    held_out_copies: int
    long: int = MIN_RUN_CHARS
    whole: int = MIN_WHOLE_CHARS
    margin: float = MAX_COPY_EXCESS

    @property
    def rate(self) -> float:
        """The share of the samples that are copies."""
        return self.copies / max(1, self.samples)

    @property
    def floor(self) -> float:
        """The share of the held-out posts that are copies."""
        return self.held_out_copies / max(1, self.held_out)

    @property
    def is_repetitive(self) -> bool:
        """Whether the model repeats its posts more than their author does, by more than the margin."""
        return self.rate - self.floor > self.margin

    def list_showable(self, samples: Sequence[Sample]) -> list[int]:
        """Return the numbers, from 1, of the samples that may be shown: they copy nothing, and add something to their prompts."""
        added = [(one.text or "").removeprefix(one.prompt).strip() for one in samples]
        return [
            number
            for number, one in enumerate(samples, 1)
            if one.copied.share < self.threshold and added[number - 1]
        ]
