"""The record as JSON: run.json, and hubtweets.json in the repo.

It is read back strictly: an unknown or misspelt key is an error, not a blank on a card.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path

from hubtweets import atomic
from hubtweets.errors import HubtweetsError
from hubtweets.record import RunRecord


def dumps(record: RunRecord) -> str:
    return json.dumps(asdict(record), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def dumps_public(record: RunRecord, card: str) -> str:
    """Return what goes into the repo as hubtweets.json: the record without the run folder's stages, the push that is yet to come, and the texts of
    samples that copy a post; and with the card as it was rendered, for whoever merges or checks it later.
    """
    samples = record.samples
    if samples and record.audit:
        threshold = record.audit.threshold
        kept = tuple(replace(one, text=None) if one.copied.share >= threshold else one for one in samples.samples)
        samples = replace(samples, samples=kept)
    public = asdict(replace(record, samples=samples, stages={}, published=None))
    del public["stages"], public["published"]
    return json.dumps(public | {"card": card}, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def write(record: RunRecord, path: Path) -> None:
    atomic.write(path, dumps(record).encode())


def read(path: Path) -> RunRecord:
    """Read a record; raise HubtweetsError where a key is missing, unknown or of another type."""
    from pydantic import TypeAdapter, ValidationError

    try:
        text = path.read_text(encoding="utf-8")
        record = TypeAdapter(RunRecord).validate_json(text)
        if json.loads(text) != json.loads(dumps(record)):
            raise ValueError("keys that this version does not know, or lacks some")
    except ValidationError as error:
        wrong = error.errors()[0]
        raise other_version(path, f"{'.'.join(map(str, wrong['loc'])) or 'it'}: {wrong['msg']}") from None
    except ValueError as error:
        raise other_version(path, str(error)) from None
    return record


def other_version(path: Path, reason: str) -> HubtweetsError:
    return HubtweetsError(f"{path}: not a record of this version ({reason}); remove this file and publish again, what services gave is kept")
