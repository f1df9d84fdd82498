"""The record as JSON: run.json, and hubtweets.json in the repo.

It is read back strictly: an unknown or misspelt key is an error, not a blank on a card.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from hubtweets.errors import HubtweetsError
from hubtweets.files import write_atomically
from hubtweets.record.run_record import SCHEMA_VERSION, RunRecord

PRIVATE_SECTIONS = ("stages", "published")
AVATAR_NAME = re.compile(r"avatar(-[1-9]\d{0,3})?\.png", re.ASCII)
VERSION_NUMBER = re.compile(r"\d[\w.+]{0,40}", re.ASCII)


class OtherVersionError(HubtweetsError):
    """A record that another version of hubtweets wrote, and reads."""


def dumps(record: RunRecord) -> str:
    return json.dumps(asdict(record), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def dumps_public(record: RunRecord, card: str) -> str:
    """Return what goes into the repo as hubtweets.json: the record without the run folder's stages, the push that is yet to come, and the texts of
    samples that copy a post; and with the card as it was rendered, for whoever merges or checks it later.
    """
    samples = record.samples
    if samples and record.audit:
        threshold = record.audit.threshold
        kept = tuple(
            replace(one, text=None) if one.copied.share >= threshold else one
            for one in samples.samples
        )
        samples = replace(samples, samples=kept)
    public = {
        name: value
        for name, value in asdict(replace(record, samples=samples)).items()
        if name not in PRIVATE_SECTIONS
    }
    return json.dumps(public | {"card": card}, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def write_record(record: RunRecord, path: Path) -> None:
    write_atomically(path, dumps(record).encode())


def read_record(path: Path) -> RunRecord:
    """Read a record; raise OtherVersionError if another version wrote it, and HubtweetsError if a key is missing, unknown or of another type."""
    from pydantic_core import from_json

    again = "remove this file and publish again, what services gave is kept"
    try:
        text = path.read_text(encoding="utf-8")
        check_schema_version(from_json(text, allow_inf_nan=False), str(path))
        return parse_record(text)
    except OtherVersionError as error:
        raise OtherVersionError(f"{error}, or {again}") from None
    except ValueError as error:
        raise HubtweetsError(f"{path}: not a record of this version ({error}); {again}") from None


def read_public_record(text: str, name: str) -> tuple[RunRecord, str]:
    """Read the record and the card of a hubtweets.json, which may be anybody's; `name` says in errors which.

    Raises OtherVersionError for what another version wrote, and HubtweetsError for what is hurt, or names files out of the repo.
    """
    from pydantic_core import from_json

    try:
        public = from_json(text, allow_inf_nan=False)  # bounded in depth and digits
        if not isinstance(public, dict) or not isinstance(card := public.pop("card", None), str):
            raise ValueError("no object with a card")
        check_schema_version(public, name)
        if any(key in public for key in PRIVATE_SECTIONS):
            raise ValueError("what is never published is in it")
        record = parse_record(json.dumps(public), PRIVATE_SECTIONS)
        if foreign := next(find_foreign_files(record), None):
            raise ValueError(f"it names the file {foreign[:200]}")
    except ValueError as error:
        raise HubtweetsError(
            f"{name}: not a record of hubtweets ({error}); ask who published it to publish it again"
        ) from None
    return record, card


def parse_record(text: str, absent: tuple[str, ...] = ()) -> RunRecord:
    """Return the record that a JSON text holds but for these sections; raise ValueError where a key is missing, unknown or of another type."""
    from pydantic import TypeAdapter, ValidationError

    try:
        record = TypeAdapter(RunRecord).validate_json(text)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, wrong['loc'])) or 'it'}: {wrong['msg']}") from None
    known = {name: value for name, value in json.loads(dumps(record)).items() if name not in absent}
    if json.loads(text) != known:
        raise ValueError("keys that this version does not know, or lacks some")
    return record


def find_foreign_files(record: RunRecord) -> Iterator[str]:
    """Yield the names of files that are no avatar, or no path in a repo."""
    yield from (
        profile.avatar
        for profile in record.profiles
        if profile.avatar is not None and not AVATAR_NAME.fullmatch(profile.avatar)
    )
    yield from (file.path for file in record.files if not is_repo_path(file.path))


def is_repo_path(path: str) -> bool:
    """Tell whether a path can only lie in the folder that it is put in."""
    return (
        all(part not in ("", ".", "..") for part in path.split("/"))
        and path.isprintable()
        and not set(path) & set("\\:")
    )


def check_schema_version(value: object, name: str) -> None:
    """Raise OtherVersionError for a record of another schema, with the version that wrote it; `name` says in the error which record."""
    if not isinstance(value, dict) or value.get("schema_version") == SCHEMA_VERSION:
        return
    version, schema = str(value.get("hubtweets_version")), str(value.get("schema_version"))[:20]
    wanted = f"=={version}" if VERSION_NUMBER.fullmatch(version) else ""
    raise OtherVersionError(
        f"{name}: schema {schema}, of another version of hubtweets; type: pip install hubtweets{wanted}"
    )
