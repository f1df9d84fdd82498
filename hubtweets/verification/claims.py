"""What is claimed of a bot, and the bot itself as it lies in a folder here."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from hubtweets.card import model_card
from hubtweets.curation import dataset
from hubtweets.errors import printable
from hubtweets.posts.post import Post
from hubtweets.record.run_record import RunRecord

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

MAX_FOUND_CHARACTERS = 400
# What proves a claim: the repo alone, the repo with the posts that were trained on, or nothing but
# the publisher's word.
Proof = Literal["repo", "dataset", "publisher"]
# Whether a claim holds (None: it could not be checked), and what was found.
Verdict = tuple[bool | None, str]


@dataclass(frozen=True)
class Claim:
    """What is claimed, what proves it, whether it holds, and what was found.

    `holds` is None if the claim could not be checked.
    """

    name: str
    proof: Proof
    holds: bool | None
    found: str

    def __str__(self) -> str:
        found = (
            self.found
            if len(self.found) <= MAX_FOUND_CHARACTERS
            else self.found[: MAX_FOUND_CHARACTERS - 1] + "…"
        )
        verdict = {
            True: "ok",
            False: "FALSE",
            None: "stated" if self.proof == "publisher" else "unchecked",
        }[self.holds]
        return printable(f"{verdict}: {self.name} ({self.proof}): {' '.join(found.split())}")


@dataclass(frozen=True)
class Bot:
    """A downloaded bot: its folder, its record, its card and its README.md.

    `card` is the card as it was rendered, `run_folder` is the folder of a run that may have the
    posts, and `committed` is the moment of the commit in ISO 8601, UTC.
    """

    folder: Path
    record: RunRecord
    card: str
    readme: str
    run_folder: Path
    committed: str | None = None

    @cached_property
    def rendered(self) -> str:
        """The card as its record renders; raises HubtweetsError if it can't be rendered."""
        return model_card.render(self.record)

    @cached_property
    def posts(self) -> tuple[dict[str, list[str]], dict[str, list[str]]] | None:
        """Each author's training and held-out texts, if the run folder has those of the record."""
        info, sides = self.record.dataset, []
        for side, fingerprint in (
            ("train", info and info.train_sha256),
            ("validation", info and info.validation_sha256),
        ):
            path = self.run_folder / "dataset" / f"{side}.parquet"
            texts = dataset.read_texts(path) if path.exists() else {}
            if (
                dataset.hash_posts(
                    {author: [Post("", text) for text in each] for author, each in texts.items()}
                )
                != fingerprint
            ):
                return None
            sides.append(texts)
        return sides[0], sides[1]

    @cached_property
    def model(self) -> "tuple[PreTrainedModel, PreTrainedTokenizerFast]":
        """The weights and the tokenizer, loaded without any code of theirs.

        Raises HubtweetsError if they can't be loaded.
        """
        from hubtweets.models.untrusted import load_files

        return load_files(self.files(), "these weights")

    def files(self) -> dict[str, Path]:
        """Return what was downloaded by its path in the repo."""
        return list_files(self.folder)


def list_files(folder: Path) -> dict[str, Path]:
    """Return the files of a downloaded repo by their paths in it."""
    return {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class Check(NamedTuple):
    """A claim's name, what proves it, and the function that judges it."""

    claim: str
    proof: Proof
    judge: Callable[[Bot], Verdict]
