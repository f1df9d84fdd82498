"""The model card: README.md from the record and nothing else."""

from typing import Any

import yaml

from hubtweets.errors import HubtweetsError
from hubtweets.record import Counts, RunRecord
from hubtweets.rendering import environment, markdown, plain


def render(record: RunRecord) -> str:
    """Return the card; raise HubtweetsError where the record lacks a section that the card shows."""
    for section, stage in (("dataset", "curate"), ("training", "train"), ("metrics", "train"), ("samples", "sample")):
        if getattr(record, section) is None:
            raise HubtweetsError(f"@{record.handle} has no {section} to show yet; type: hubtweets {stage} {record.handle}")
    jinja = environment(finalize=markdown)
    body = jinja.get_template("model_card.md.j2").render(
        **vars(record) | {"counts": record.counts[0]},
        record=record,
        profile=record.profiles[0],
        name=plain(record.profiles[0].name, 100) or record.handle,
        rows=stats_rows(record.counts[0]),
    )
    return f"---\n{front_matter(record)}---\n\n{body}"


def front_matter(record: RunRecord) -> str:
    """Return the card's metadata as YAML: only keys that the Hub reads, only values that are known."""
    assert record.target and record.dataset and record.base and record.samples
    prompt = plain(record.samples.prompt)
    metadata: dict[str, Any] = {
        "language": record.dataset.language,
        "license": record.base.license,
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "base_model": record.base.id if record.base.on_hub else None,
        "base_model_relation": "finetune" if record.base.on_hub else None,
        "thumbnail": record.target.file_url("predictions.png"),
        "tags": ["huggingtweets"],
        "widget": [{"text": prompt, "output": {"text": plain(text)}} for text in record.samples.texts[:1]],
    }
    known = {key: value for key, value in metadata.items() if value is not None}
    return yaml.safe_dump(known, allow_unicode=True, sort_keys=False, width=10**9)


def stats_rows(counts: Counts) -> list[tuple[str, int]]:
    """Return the stats table: the original's four rows, and between them what else was left out, where there was any."""
    return [
        ("Tweets downloaded", counts.downloaded),
        ("Retweets", counts.reposts),
        *((label, number) for label, number in (("Private", counts.private), ("Older versions of edited tweets", counts.superseded)) if number),
        ("Short tweets", counts.short),
        ("Tweets kept", counts.kept),
    ]
