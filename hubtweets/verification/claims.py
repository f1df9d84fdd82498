"""What is claimed of a bot, and the bot itself as it lies in a folder here."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hubtweets import dataset
from hubtweets.errors import printable
from hubtweets.posts import Post
from hubtweets.record import RunRecord

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

LONGEST = 400  # characters of what was found


@dataclass(frozen=True)
class Claim:
    """What is claimed, whether it holds (None: could not be checked here), and what was found."""

    name: str
    holds: bool | None
    found: str

    def __str__(self) -> str:
        found = self.found if len(self.found) <= LONGEST else self.found[: LONGEST - 1] + "…"
        return printable(f"{ {True: 'ok', False: 'FALSE', None: 'unchecked'}[self.holds] }: {self.name}: {' '.join(found.split())}")


Verdict = tuple[bool | None, str]  # a Claim's last two


@dataclass(frozen=True)
class Bot:
    """A downloaded bot: its record, its card as that was rendered, its README.md, and the folder of a run that may have its posts."""

    folder: Path
    record: RunRecord
    card: str
    readme: str
    run_folder: Path

    @cached_property
    def posts(self) -> tuple[dict[str, list[str]], dict[str, list[str]]] | None:
        """Each author's training and held-out texts, where the run folder has those of the record."""
        info, sides = self.record.dataset, []
        for side, fingerprint in (("train", info and info.train_sha256), ("validation", info and info.validation_sha256)):
            path = self.run_folder / "dataset" / f"{side}.parquet"
            texts = dataset.read_texts(path) if path.exists() else {}
            if dataset.fingerprint({author: [Post("", text) for text in each] for author, each in texts.items()}) != fingerprint:
                return None
            sides.append(texts)
        return sides[0], sides[1]

    @cached_property
    def model(self) -> "tuple[PreTrainedModel, PreTrainedTokenizerFast]":
        """The weights and the tokenizer, loaded without any code of theirs; raises HubtweetsError where they can't be."""
        from hubtweets.hub.generation import load_files

        return load_files(self.files(), "these weights")

    def files(self) -> dict[str, Path]:
        """Return what was downloaded by its path in the repo."""
        return {path.relative_to(self.folder).as_posix(): path for path in sorted(self.folder.rglob("*")) if path.is_file()}
