"""The card's front matter: what the Hub reads of a bot, from the record and nothing else.

In: the record. Out: YAML with the keys of `KEYS`, in that order, and no others. Every id in it is checked by the Hub's rules, so that it is not a
push that finds out.
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
    *("language", "license", "license_name", "license_link", "library_name", "pipeline_tag"),
    *(
        "base_model",
        "base_model_revision",
        "base_model_relation",
        "datasets",
        "thumbnail",
        "tags",
        "widget",
        "model-index",
    ),
)
COMMIT = re.compile(r"[0-9a-f]{40,64}")
NUMBER_LIKE = re.compile(r"[-+.]*\d")


class Dumper(yaml.SafeDumper):
    """Quotes every text that begins like a number: `1e3` is a text in PyYAML's YAML 1.1 and a number in the Hub's 1.2."""

    def represent_text(self, text: str) -> yaml.Node:
        return self.represent_scalar(
            "tag:yaml.org,2002:str", text, "'" if NUMBER_LIKE.match(text) else None
        )


Dumper.add_representer(str, Dumper.represent_text)


def dump_metadata(record: RunRecord) -> str:
    """Return the card's metadata as YAML; raise HubtweetsError for a value that the Hub would refuse."""
    return yaml.dump(
        build_metadata(record), Dumper=Dumper, allow_unicode=True, sort_keys=False, width=10**9
    )


def build_metadata(record: RunRecord) -> dict[str, Any]:
    """Return what is known under the keys that the Hub reads; raise HubtweetsError for a value that it would refuse."""
    assert (
        record.target
        and record.terms
        and record.dataset
        and record.base
        and record.training
        and record.metrics
        and record.samples
    )
    base, license, is_adapter = record.base, record.terms.license, record.training.lora == "adapter"
    languages = list(record.dataset.languages)
    values: dict[str, Any] = {
        "language": languages if len(languages) > 1 else next(iter(languages), None),
        "license": license.id,
        "library_name": "peft" if is_adapter else "transformers",
        "pipeline_tag": "text-generation",
        "datasets": list(
            dict.fromkeys(source.dataset for source in record.sources if source.dataset)
        )
        or None,
        "thumbnail": record.target.file_url("predictions.png"),
        "tags": [
            "huggingtweets",
            *(["lora"] if record.training.lora else []),
            *list_trackio_tags(record),
        ],
        "widget": [build_widget_example(record.samples, one) for one in list_shown_samples(record)]
        or None,
        "model-index": build_model_index(record, record.metrics),
    }
    if license.id == "other":  # of which the Hub knows no more than this
        link = to_link_target(license.link or "")
        values |= {
            "license_name": to_plain_text(license.name or "") or None,
            "license_link": str(link) if link else None,
        }
    if base.on_hub:
        relation = "adapter" if is_adapter else "finetune"
        values |= {
            "base_model": base.id,
            "base_model_revision": base.revision,
            "base_model_relation": relation,
        }
    known = {key: values[key] for key in KEYS if values.get(key) is not None}
    check_metadata(known, record.target.repo_id)
    return known


def check_metadata(metadata: dict[str, Any], repo_id: str) -> None:
    """Raise HubtweetsError for the first value that the Hub would refuse, with its key."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    from hubtweets.card.hub_schema import find_faults

    ids = [
        ("repo", repo_id),
        ("datasets", *metadata.get("datasets", [])),
        ("base_model", metadata.get("base_model")),
    ]
    for key, *named in ids:
        for value in named:
            try:
                validate_repo_id(value)
            except HFValidationError:
                raise HubtweetsError(
                    f"the card's {key}: {to_plain_text(str(value), 200)!r} is no id of a repo; publish again with another"
                ) from None
    revision = metadata.get("base_model_revision", "0" * 40)
    if not COMMIT.fullmatch(revision):
        raise HubtweetsError(
            f"the card's base_model_revision: {to_plain_text(revision, 200)!r} is no commit; type: hubtweets train HANDLE"
        )
    for fault in find_faults(metadata, "model"):
        raise HubtweetsError(f"the card's {fault}")


def list_shown_samples(record: RunRecord) -> list[Sample]:
    """Return the samples that were picked; raise HubtweetsError for one that copies a post, which is never shown."""
    assert record.samples and record.audit
    for number, one in zip(record.samples.picked, record.samples.list_picked(), strict=True):
        if one.text is None or one.copied.share >= record.audit.threshold:
            raise HubtweetsError(
                f"sample {number} copies a post and can't be shown; type: hubtweets sample {record.handle} --pick"
            )
    return record.samples.list_picked()


def build_widget_example(samples: Samples, one: Sample) -> dict[str, Any]:
    """Return a sample as an example of the Hub's widget, with the settings that it was written with."""
    settings = samples.settings
    parameters: dict[str, Any] = {
        "do_sample": True,
        "temperature": float(settings["temperature"]),
        "top_p": float(settings["top_p"]),
    }
    if settings["top_k"] > 0:
        parameters["top_k"] = int(settings["top_k"])
    parameters["max_new_tokens"] = int(settings["max_new_tokens"])
    prompt = to_plain_text(one.prompt)
    return {
        "text": prompt,
        "example_title": to_plain_text(prompt, 60),
        "output": {"text": to_plain_text(one.text or "")},
        "parameters": parameters,
    }


def list_trackio_tags(record: RunRecord) -> Iterable[str]:
    """Yield the tags that make the Hub show trackio's Spaces."""
    for run in record.tracked:
        if run.tracker == "trackio" and run.url and (url := to_link_target(run.url)):
            yield f"trackio:{url}"


def build_model_index(record: RunRecord, metrics: Metrics) -> list[dict[str, Any]]:
    """Return this model's scores on the held-out posts as the Hub's `model-index`."""
    assert record.target
    values = (
        ("bits_per_byte", "Bits per byte", metrics.tuned.bits_per_byte),
        ("perplexity", "Perplexity per token", metrics.tuned.perplexity),
    )
    dataset = {
        "name": "Held-out posts of "
        + " and ".join(f"@{profile.handle}" for profile in record.profiles),
        "type": "held-out-posts",
        "split": "validation",
    }
    result = {
        "task": {"type": "text-generation", "name": "Text generation"},
        "dataset": dataset,
        "metrics": [
            {"type": kind, "value": round(value, 4), "name": name} for kind, name, value in values
        ],
    }
    return [{"name": record.target.repo_id.rpartition("/")[2], "results": [result]}]
