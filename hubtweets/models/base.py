"""Which model is fine-tuned: the embedded one, a folder, or one from the Hub."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hubtweets.errors import HubtweetsError
from hubtweets.files import hash_files
from hubtweets.record.run_record import Base, License
from hubtweets.text import to_link_target, to_plain_text

TINY = Path(__file__).parent / "tiny"
LICENSE_KEYS = ("license", "license_name", "license_link")
# Characters of a licence's name and link.
MAX_LICENSE_NAME_CHARS, MAX_LICENSE_LINK_CHARS = 200, 1000
# A path in the base's own repo.
REPO_FILE = re.compile(r"(?:\./)?[\w-][\w.-]*(?:/[\w-][\w.-]*)*", re.ASCII)
LANGUAGE_CODE = re.compile(r"[A-Za-z-]{2,20}")
REPO_ID = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?", re.ASCII)


def resolve_base(name: str) -> tuple[Base, str]:
    """Return a base, pinned to what it is now, and where transformers loads it from.

    `tiny` is the embedded base and a folder is taken as it is. Anything else is an id on the Hub,
    which is read from the local cache if the Hub is away. Raises HubtweetsError if there is no
    such model.
    """
    folder = TINY if name == "tiny" else Path(name)
    if folder.is_dir():
        weights = sorted(folder.glob("*.safetensors"))
        if not weights or not (folder / "config.json").exists():
            raise HubtweetsError(
                f"{name}: no model in this folder (it lacks config.json or *.safetensors); "
                "try --base tiny"
            )
        # A path says more of this machine than of the model.
        id = name if name == "tiny" else folder.resolve().name
        return Base(
            id, hash_files(weights), *read_card_facts(folder / "README.md"), on_hub=False
        ), str(folder)
    if not REPO_ID.fullmatch(name):
        raise HubtweetsError(
            f"{name}: neither a folder nor a model's id; "
            "try --base tiny or --base openai-community/gpt2"
        )
    return resolve_on_hub(name)


def resolve_on_hub(repo_id: str) -> tuple[Base, str]:
    import httpx2
    from huggingface_hub import HfApi, hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import (
        EntryNotFoundError,
        HfHubHTTPError,
        HFValidationError,
        RepositoryNotFoundError,
    )

    api = HfApi()
    try:
        info = api.model_info(repo_id)
        # This notes in the cache what main is, for a day without the Hub.
        hf_hub_download(repo_id, "config.json")
        return Base(
            repo_id,
            str(info.sha),
            *parse_card_facts(info.card_data or {}, build_blob_url(repo_id, str(info.sha))),
            on_hub=True,
        ), repo_id
    except (httpx2.TransportError, ConnectionError):
        cached = try_to_load_from_cache(repo_id, "config.json")
        if isinstance(cached, str):
            folder = Path(cached).parent
            return Base(
                repo_id,
                folder.name,
                *read_card_facts(folder / "README.md", build_blob_url(repo_id, folder.name)),
                on_hub=True,
            ), repo_id
        raise HubtweetsError(
            f"{api.endpoint} does not answer, and {repo_id} is not in the cache; try --base tiny"
        ) from None
    except (RepositoryNotFoundError, EntryNotFoundError, HFValidationError):
        raise HubtweetsError(
            f"{repo_id}: no such model on {api.endpoint}; "
            "try --base tiny or --base openai-community/gpt2"
        ) from None
    except HfHubHTTPError as error:
        raise HubtweetsError(
            f"{repo_id}: {api.endpoint} refused ({error.server_message or error}); "
            "try again, or --base tiny"
        ) from None


def build_blob_url(repo_id: str, revision: str) -> str:
    """Return the address under which a base's files are shown."""
    return f"https://huggingface.co/{repo_id}/blob/{revision}/"


def read_card_facts(path: Path, place: str | None = None) -> tuple[License | None, tuple[str, ...]]:
    """Return the licence and the languages that a model card on disk names.

    There are none if there is no card, or one that can't be read.
    """
    from huggingface_hub import ModelCard

    try:
        return parse_card_facts(ModelCard.load(path).data, place) if path.exists() else (None, ())
    except Exception:  # PyYAML and the client raise a dozen kinds for a broken card
        return None, ()


def parse_card_facts(
    metadata: Any, place: str | None = None
) -> tuple[License | None, tuple[str, ...]]:
    """Return the licence and the languages of a card's metadata, which is untrusted.

    `place` is the address of the files that the card may link to.
    """
    languages = metadata.get("language")
    codes = languages if isinstance(languages, list) else [languages]
    return parse_license(metadata, place), tuple(
        code for code in codes if isinstance(code, str) and LANGUAGE_CODE.fullmatch(code)
    )


def parse_license(metadata: Any, place: str | None) -> License | None:
    """Return the licence that a card names, as the Hub reads it.

    Only `other` has a name and a link.
    """
    id, name, link = (
        to_plain_text(value) if isinstance(value := metadata.get(key), str) else ""
        for key in LICENSE_KEYS
    )
    if id != "other":
        return License(to_plain_text(id, MAX_LICENSE_NAME_CHARS)) if id else None
    target = to_link_target(place + quote(link) if place and REPO_FILE.fullmatch(link) else link)
    return License(
        id,
        to_plain_text(name, MAX_LICENSE_NAME_CHARS) or None,
        str(target) if target and len(target) <= MAX_LICENSE_LINK_CHARS else None,
    )
