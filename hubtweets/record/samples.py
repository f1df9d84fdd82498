"""The samples of a model: what they copy of the training posts, and which of them are shown."""

from collections.abc import Sequence
from dataclasses import dataclass

MAX_NEW_TOKENS = 160
SAMPLING_SETTINGS: dict[str, float] = {
    "temperature": 1.0,
    "top_p": 0.95,
    "top_k": 0,
    "max_new_tokens": MAX_NEW_TOKENS,
}
# The share of copies may exceed that among held-out posts by this much. Of 200 samples, the
# example's model copies 1 % (its author 6 %), that of 4,383 posts of @digitalgov 0 % (5 %), and one
# that was trained on 199 posts for 50 epochs 9 % (0 %).
MAX_COPY_EXCESS = 0.05
# The first 12 characters of a held-out post are found in another post of its author in 53 of 100
# cases, the first 28 in 8 (@digitalgov, 4,383 posts). A wide character, such as an ideograph,
# counts as two, as it does on X.
MIN_WHOLE_CHARS = 28  # of a text that counts as copied if a post contains all of it
MIN_RUN_CHARS = 40  # of a run in common with a post that counts as copied, in a longer text


@dataclass(frozen=True)
class Overlap:
    """How much of a text is found in the training posts.

    `words` and `characters` are those of the longest common run, `share` is that of long runs.
    """

    words: int
    characters: int
    share: float


@dataclass(frozen=True)
class Sample:
    """A text that the published weights wrote, prompt included.

    In the public record the text is None if it copies a post.
    """

    prompt: str
    text: str | None
    copied: Overlap


@dataclass(frozen=True)
class Samples:
    """The samples of the published weights, with their seed and generation settings.

    `picked` are the numbers, from 1, of those on the card and the thumbnail. `chosen` is True if
    the publisher picked them, False if they are the first of each prompt that copy nothing.
    """

    seed: int
    settings: dict[str, float]
    samples: tuple[Sample, ...]
    picked: tuple[int, ...]
    chosen: bool = False

    def list_picked(self) -> list[Sample]:
        """Return the samples that were picked."""
        return [self.samples[number - 1] for number in self.picked]

    def list_offered(self, audit: "MemorizationAudit") -> dict[str, list[int]]:
        """Return, by prompt, the numbers of the samples that are offered to be picked.

        They may be shown, and have no broken character.
        """
        offered: dict[str, list[int]] = {}
        for number in audit.list_showable(self.samples):
            one = self.samples[number - 1]
            if "\ufffd" not in (one.text or ""):
                offered.setdefault(one.prompt, []).append(number)
        return offered


@dataclass(frozen=True)
class MemorizationAudit:
    """How many samples are copies, and how many held-out posts are: people repeat themselves.

    A text is a copy if the share of it in long common runs reaches `threshold`. A run is long from
    `long` characters on; a shorter text counts if a post contains all of it and it has at least
    `whole` characters. The card warns if the rate exceeds the floor by more than `margin`.
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
        """The share of copies among the samples."""
        return self.copies / max(1, self.samples)

    @property
    def floor(self) -> float:
        """The share of copies among the held-out posts."""
        return self.held_out_copies / max(1, self.held_out)

    @property
    def is_repetitive(self) -> bool:
        """True if the rate exceeds the floor by more than the margin."""
        return self.rate - self.floor > self.margin

    def list_showable(self, samples: Sequence[Sample]) -> list[int]:
        """Return the numbers, from 1, of the samples that may be shown.

        They copy nothing, and add something to their prompts.
        """
        numbers = []
        for number, sample in enumerate(samples, 1):
            added = (sample.text or "").removeprefix(sample.prompt).strip()
            if sample.copied.share < self.threshold and added:
                numbers.append(number)
        return numbers
