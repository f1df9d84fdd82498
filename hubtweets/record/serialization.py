"""The record as JSON: run.json in the run folder, hubtweets.json in the repo.

Reading is strict: an unknown or misspelt key is an error, not a blank on a card.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubtweets.errors import HubtweetsError
from hubtweets.files import write_atomically
from hubtweets.record.run_record import SCHEMA_VERSION, RunRecord

if TYPE_CHECKING:
    from pydantic import TypeAdapter

PRIVATE_SECTIONS = ("stages", "published")
AVATAR_NAME = re.compile(r"avatar(-[1-9]\d{0,3})?\.png", re.ASCII)
VERSION_NUMBER = re.compile(r"\d[\w.+]{0,40}", re.ASCII)


class OtherVersionError(HubtweetsError):
    """Raised for a record of another version of hubtweets, which can read it."""


def dumps(record: RunRecord) -> str:
    """Return the whole record as JSON."""
    return dump_json(asdict(record))


def dumps_public(record: RunRecord, card: str) -> str:
    """Return the record as JSON for hubtweets.json in the repo.

    It lacks the stages of the run folder, the push that is yet to come, and the texts of samples
    that copy a post. It has the card as it was rendered, for a later merge or check.
    """
    samples = record.samples
    if samples and record.audit:
        threshold = record.audit.threshold
        public = tuple(
            replace(sample, text=None) if sample.copied.share >= threshold else sample
            for sample in samples.samples
        )
        samples = replace(samples, samples=public)
    values = asdict(replace(record, samples=samples))
    for section in PRIVATE_SECTIONS:
        del values[section]
    return dump_json(values | {"card": card})


def dump_json(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def write_record(record: RunRecord, path: Path) -> None:
    write_atomically(path, dumps(record).encode())


def read_record(path: Path) -> RunRecord:
    """Read a run.json.

    Raises OtherVersionError if another version wrote it, and HubtweetsError if a key is missing,
    unknown or of another type.
    """
    from pydantic_core import from_json

    again = "remove this file and publish again; downloaded posts are kept"
    try:
        text = path.read_text(encoding="utf-8")
        check_schema_version(from_json(text, allow_inf_nan=False), str(path))
        return parse_record(text)
    except OtherVersionError as error:
        raise OtherVersionError(f"{error}, or {again}") from None
    except ValueError as error:
        raise HubtweetsError(f"{path}: not a record of this version ({error}); {again}") from None


def read_public_record(text: str, name: str) -> tuple[RunRecord, str]:
    """Return the record and the card in a hubtweets.json, which anyone may have written.

    `name` names it in errors. Raises OtherVersionError if another version wrote it, and
    HubtweetsError if it is corrupt or names files outside of the repo.
    """
    from pydantic_core import from_json

    try:
        public = from_json(text, allow_inf_nan=False)  # limits depth and digits
        if not isinstance(public, dict) or not isinstance(card := public.pop("card", None), str):
            raise ValueError("no object with a card")
        check_schema_version(public, name)
        if any(section in public for section in PRIVATE_SECTIONS):
            raise ValueError("it has sections that are never published")
        record = parse_record(json.dumps(public), PRIVATE_SECTIONS)
        if foreign := next(find_foreign_files(record), None):
            raise ValueError(f"it names the file {foreign[:200]}")
    except ValueError as error:
        raise HubtweetsError(
            f"{name}: not a record of hubtweets ({error}); ask who published it to publish it again"
        ) from None
    return record, card


def parse_record(text: str, absent: tuple[str, ...] = ()) -> RunRecord:
    """Return the record in a JSON text, which lacks the sections in `absent`.

    Raises ValueError if another key is missing, or one is unknown or of another type.
    """
    from pydantic import ValidationError

    adapter = create_record_adapter()
    try:
        record = adapter.validate_json(text)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, wrong['loc'])) or 'it'}: {wrong['msg']}") from None
    values = json.dumps(adapter.dump_python(record, mode="json"), allow_nan=False)
    known = {name: value for name, value in json.loads(values).items() if name not in absent}
    if json.loads(text) != known:
        raise ValueError("it has keys that this version does not know, or lacks some")
    return record


@cache
def create_record_adapter() -> "TypeAdapter[RunRecord]":
    from pydantic import TypeAdapter

    return TypeAdapter(RunRecord)


def find_foreign_files(record: RunRecord) -> Iterator[str]:
    """Yield the file names in a record that are not an avatar's, or not a path in a repo."""
    for profile in record.profiles:
        if profile.avatar is not None and not AVATAR_NAME.fullmatch(profile.avatar):
            yield profile.avatar
    for file in record.files:
        if not is_repo_path(file.path):
            yield file.path


def is_repo_path(path: str) -> bool:
    """Return True if a path stays inside of the folder that it is put in."""
    return (
        all(part not in ("", ".", "..") for part in path.split("/"))
        and path.isprintable()
        and not set(path) & set("\\:")
    )


def check_schema_version(value: object, name: str) -> None:
    """Raise OtherVersionError, with the version to install, for a record of another schema.

    `name` names the record in the error.
    """
    if not isinstance(value, dict) or value.get("schema_version") == SCHEMA_VERSION:
        return
    version, schema = str(value.get("hubtweets_version")), str(value.get("schema_version"))[:20]
    wanted = f"=={version}" if VERSION_NUMBER.fullmatch(version) else ""
    raise OtherVersionError(
        f"{name}: schema {schema}, of another version of hubtweets; "
        f"type: pip install hubtweets{wanted}"
    )
