"""The metadata of a card: what the Hub reads of a bot.

In: the record of a run, and nothing else. Out: YAML with the keys of KEYS, in that order. Values
are checked by the Hub's rules here, so that a push does not fail on them.
"""

import re
from collections.abc import Iterable
from typing import Any

import yaml

from hubtweets.errors import HubtweetsError
from hubtweets.record.run_record import Metrics, RunRecord
from hubtweets.record.samples import Sample, Samples
from hubtweets.text import to_link_target, to_plain_text

KEYS = (
    "language",
    "license",
    "license_name",
    "license_link",
    "library_name",
    "pipeline_tag",
    "base_model",
    "base_model_revision",
    "base_model_relation",
    "datasets",
    "thumbnail",
    "tags",
    "widget",
    "model-index",
)
COMMIT = re.compile(r"[0-9a-f]{40,64}")
NUMBER_LIKE = re.compile(r"[-+.]*\d")


class Dumper(yaml.SafeDumper):
    """Quotes every string that begins like a number.

    `1e3` is a string in PyYAML's YAML 1.1 and a number in the Hub's YAML 1.2.
    """

    def represent_text(self, text: str) -> yaml.Node:
        style = "'" if NUMBER_LIKE.match(text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style)


Dumper.add_representer(str, Dumper.represent_text)


def dump_metadata(record: RunRecord) -> str:
    """Return the metadata as YAML; raise HubtweetsError for a value that the Hub would refuse."""
    return yaml.dump(
        build_metadata(record), Dumper=Dumper, allow_unicode=True, sort_keys=False, width=10**9
    )


def build_metadata(record: RunRecord) -> dict[str, Any]:
    """Return the metadata that is known, in the order of KEYS.

    Raises HubtweetsError for a value that the Hub would refuse.
    """
    assert record.target and record.dataset and record.training
    assert record.metrics and record.samples
    datasets = dict.fromkeys(source.dataset for source in record.sources if source.dataset)
    lora_tags = ["lora"] if record.training.lora else []
    languages = list(record.dataset.languages)
    values: dict[str, Any] = {
        "language": languages if len(languages) > 1 else next(iter(languages), None),
        "library_name": "peft" if record.training.lora == "adapter" else "transformers",
        "pipeline_tag": "text-generation",
        "datasets": list(datasets) or None,
        "thumbnail": record.target.file_url("predictions.png"),
        "tags": ["huggingtweets", *lora_tags, *list_trackio_tags(record)],
        "widget": [
            build_widget_example(record.samples, sample) for sample in list_shown_samples(record)
        ]
        or None,
        "model-index": build_model_index(record, record.metrics),
        **build_license(record),
        **build_base(record),
    }
    known = {key: values[key] for key in KEYS if values.get(key) is not None}
    check_metadata(known, record.target.repo_id)
    return known


def build_license(record: RunRecord) -> dict[str, str | None]:
    """Return the keys of the licence; one that the Hub has no id for has a name and a link."""
    assert record.terms
    license = record.terms.license
    if license.id != "other":
        return {"license": license.id}
    link = to_link_target(license.link or "")
    return {
        "license": license.id,
        "license_name": to_plain_text(license.name or "") or None,
        "license_link": str(link) if link else None,
    }


def build_base(record: RunRecord) -> dict[str, str]:
    """Return the keys of the base model, none if it is not on the Hub."""
    assert record.base and record.training
    if not record.base.on_hub:
        return {}
    return {
        "base_model": record.base.id,
        "base_model_revision": record.base.revision,
        "base_model_relation": "adapter" if record.training.lora == "adapter" else "finetune",
    }


def check_metadata(metadata: dict[str, Any], repo_id: str) -> None:
    """Raise HubtweetsError for the first value that the Hub would refuse, with its key."""
    from hubtweets.card.hub_schema import find_faults

    check_repo_ids("repo", [repo_id])
    check_repo_ids("datasets", metadata.get("datasets", []))
    check_repo_ids("base_model", [metadata.get("base_model")])
    revision = metadata.get("base_model_revision", "0" * 40)
    if not COMMIT.fullmatch(revision):
        raise HubtweetsError(
            f"the card's base_model_revision: {to_plain_text(revision, 200)!r} is not a commit; "
            "type: hubtweets train HANDLE"
        )
    for fault in find_faults(metadata, "model"):
        raise HubtweetsError(f"the card's {fault}")


def check_repo_ids(key: str, ids: Iterable[str | None]) -> None:
    """Raise HubtweetsError for the first id that the Hub would refuse; None is skipped."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    for id in ids:
        try:
            validate_repo_id(id)
        except HFValidationError:
            raise HubtweetsError(
                f"the card's {key}: {to_plain_text(str(id), 200)!r} is not a repo id; "
                "publish again with another"
            ) from None


def list_shown_samples(record: RunRecord) -> list[Sample]:
    """Return the picked samples; raise HubtweetsError if one copies a post."""
    assert record.samples and record.audit
    picked = record.samples.list_picked()
    for number, sample in zip(record.samples.picked, picked, strict=True):
        if sample.text is None or sample.copied.share >= record.audit.threshold:
            raise HubtweetsError(
                f"sample {number} copies a post and can't be shown; "
                f"type: hubtweets sample {record.handle} --pick"
            )
    return picked


def build_widget_example(samples: Samples, sample: Sample) -> dict[str, Any]:
    """Return a sample as an example of the Hub's widget, with its generation settings."""
    settings = samples.settings
    parameters: dict[str, Any] = {
        "do_sample": True,
        "temperature": float(settings["temperature"]),
        "top_p": float(settings["top_p"]),
    }
    if settings["top_k"] > 0:
        parameters["top_k"] = int(settings["top_k"])
    parameters["max_new_tokens"] = int(settings["max_new_tokens"])
    prompt = to_plain_text(sample.prompt)
    return {
        "text": prompt,
        "example_title": to_plain_text(prompt, 60),
        "output": {"text": to_plain_text(sample.text or "")},
        "parameters": parameters,
    }


def list_trackio_tags(record: RunRecord) -> Iterable[str]:
    """Yield the tags by which the Hub shows the Spaces of trackio."""
    for run in record.tracked:
        if run.tracker == "trackio" and run.url and (url := to_link_target(run.url)):
            yield f"trackio:{url}"


def build_model_index(record: RunRecord, metrics: Metrics) -> list[dict[str, Any]]:
    """Return this model's scores on the held-out posts as the Hub's `model-index`."""
    assert record.target
    authors = " and ".join(f"@{profile.handle}" for profile in record.profiles)
    scores = (
        ("bits_per_byte", "Bits per byte", metrics.tuned.bits_per_byte),
        ("perplexity", "Perplexity per token", metrics.tuned.perplexity),
    )
    result = {
        "task": {"type": "text-generation", "name": "Text generation"},
        "dataset": {
            "name": f"Held-out posts of {authors}",
            "type": "held-out-posts",
            "split": "validation",
        },
        "metrics": [
            {"type": kind, "value": round(value, 4), "name": name} for kind, name, value in scores
        ],
    }
    return [{"name": record.target.repo_id.rpartition("/")[2], "results": [result]}]
