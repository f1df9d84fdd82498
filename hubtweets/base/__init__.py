"""Which model is fine-tuned: the embedded one, a folder, or one from the Hub."""

import re
from pathlib import Path
from typing import Any

from hubtweets.errors import HubtweetsError
from hubtweets.posts import hash_files, well_formed
from hubtweets.record import Base, License

TINY = Path(__file__).parent / "tiny"
LANGUAGE = re.compile(r"[A-Za-z-]{2,20}")
REPO_ID = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?", re.ASCII)


def resolve(name: str) -> tuple[Base, str]:
    """Return a base, pinned to what it is now, and where transformers loads it from; raise HubtweetsError where there is no such model.

    `tiny` is the embedded base; a folder is taken as it is; anything else is an id on the Hub, from the local cache where the Hub is away.
    """
    folder = TINY if name == "tiny" else Path(name)
    if folder.is_dir():
        weights = sorted(folder.glob("*.safetensors"))
        if not weights or not (folder / "config.json").exists():
            raise HubtweetsError(f"{name}: no model in this folder (it lacks config.json or *.safetensors); try --base tiny")
        id = name if name == "tiny" else folder.resolve().name  # a path says more of this machine than of the model
        return Base(id, hash_files(weights), *card_of(folder / "README.md"), on_hub=False), str(folder)
    if not REPO_ID.fullmatch(name):
        raise HubtweetsError(f"{name}: neither a folder nor a model's id; try --base tiny or --base openai-community/gpt2")
    return resolve_on_hub(name)


def resolve_on_hub(repo_id: str) -> tuple[Base, str]:
    import httpx2
    from huggingface_hub import HfApi, hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError, RepositoryNotFoundError

    api = HfApi()
    try:
        info = api.model_info(repo_id)
        hf_hub_download(repo_id, "config.json")  # notes in the cache what main is, for a day without the Hub
        return Base(repo_id, str(info.sha), *facts_of(info.card_data or {}), on_hub=True), repo_id
    except (httpx2.TransportError, ConnectionError):
        cached = try_to_load_from_cache(repo_id, "config.json")
        if isinstance(cached, str):
            return Base(repo_id, Path(cached).parent.name, *card_of(Path(cached).parent / "README.md"), on_hub=True), repo_id
        raise HubtweetsError(f"{api.endpoint} does not answer, and {repo_id} is not in the cache; try --base tiny") from None
    except (RepositoryNotFoundError, EntryNotFoundError, HFValidationError):
        raise HubtweetsError(f"{repo_id}: no such model on {api.endpoint}; try --base tiny or --base openai-community/gpt2") from None
    except HfHubHTTPError as error:
        raise HubtweetsError(f"{repo_id}: {api.endpoint} refused ({error.server_message or error}); try again, or --base tiny") from None


def card_of(path: Path) -> tuple[License | None, tuple[str, ...]]:
    """Return the licence and the languages that a model card on disk names; none where there is no card, or one that can't be read."""
    from huggingface_hub import ModelCard

    try:
        return facts_of(ModelCard.load(path).data) if path.exists() else (None, ())
    except Exception:  # PyYAML and the client raise a dozen kinds for a hurt card
        return None, ()


def facts_of(metadata: Any) -> tuple[License | None, tuple[str, ...]]:
    license, languages = metadata.get("license"), metadata.get("language")
    codes = languages if isinstance(languages, list) else [languages]
    return License(well_formed(license)) if isinstance(license, str) else None, tuple(
        code for code in codes if isinstance(code, str) and LANGUAGE.fullmatch(code)
    )
