"""A published bot: where it stands, and what it writes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hubtweets.errors import HubtweetsError

if TYPE_CHECKING:
    from hubtweets.models.untrusted import Loaded
    from hubtweets.verification.claims import Claim


@dataclass(frozen=True)
class Bot:
    """A bot with its files in `folder`; `url` is its page, or the pull request that adds it."""

    repo_id: str
    url: str
    commit: str | None
    folder: Path
    tag: str | None = None

    @cached_property
    def _model(self) -> Loaded:
        from hubtweets.models.untrusted import load_files

        return load_files({path.name: path for path in self.folder.iterdir()}, self.repo_id)

    def generate(self, prompt: str, num_return_sequences: int = 5, seed: int = 0) -> list[str]:
        """Return texts that start with the prompt, the same for the same seed on the same machine.

        Raises HubtweetsError if the model can't be loaded, or the prompt is too long for it.
        """
        from hubtweets.evaluation.sampling import generate

        return generate(*self._model, prompt, num_return_sequences, seed)


def load(repo_id: str, *, hub: str | None = None, revision: str = "main") -> Bot:
    """Download a bot from a Hub: its URL, "local" for the embedded one, or None for HF_ENDPOINT.

    Nothing but safetensors and JSON is loaded, and no code of the repo runs. Raises HubtweetsError
    if there is no such bot, or it can't be downloaded.
    """
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    from hubtweets.models.untrusted import ALLOWED_NAMES, ALLOWED_SUFFIXES
    from hubtweets.publishing.connection import connect, hub_errors

    with connect(hub) as connected, hub_errors(connected):
        try:
            commit = connected.api.model_info(repo_id, revision=revision).sha
        except (RepositoryNotFoundError, RevisionNotFoundError):
            raise HubtweetsError(
                f"{connected.endpoint}/{repo_id}: no revision {revision}, "
                f"or not visible to this token; {connected.advise_missing(repo_id)}"
            ) from None
        patterns = [*(f"*{suffix}" for suffix in ALLOWED_SUFFIXES), *ALLOWED_NAMES]
        folder = connected.api.snapshot_download(repo_id, revision=commit, allow_patterns=patterns)
    return Bot(repo_id, f"{connected.endpoint}/{repo_id}", commit, Path(folder))


def verify(
    repo_id: str,
    *,
    hub: str | None = None,
    revision: str = "main",
    runs: str | Path = "runs",
    deep: bool = False,
) -> list[Claim]:
    """Check every claim of a published bot's card against its files.

    docs/verify.md says what each claim proves. `deep` scores the held-out posts of the bot's run
    folder again. Raises HubtweetsError if there is no such bot.
    """
    from hubtweets.publishing.connection import connect
    from hubtweets.verification.verify import verify

    with connect(hub) as connected:
        return list(verify(connected, repo_id, revision, Path(runs), deep))
