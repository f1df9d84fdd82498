"""The model card: README.md from the record and nothing else."""

from typing import Any

import yaml

from hubtweets.errors import HubtweetsError
from hubtweets.posts import SourceKind
from hubtweets.record import RunRecord, stats_rows
from hubtweets.rendering import environment, markdown, plain

# what an author's posts were read from, as the card says it
KINDS: dict[SourceKind, str] = {
    "x-archive": "an X archive",
    "x-grailbird": "a Twitter archive",
    "x-api": "the X API",
    "x-json": "saved answers of the X API",
    "mastodon-archive": "a Mastodon archive",
    "mastodon-api": "the Mastodon API",
    "bluesky-archive": "a Bluesky export",
    "bluesky-api": "the Bluesky API",
    "threads": "a Threads export",
    "instagram": "an Instagram export",
    "reddit": "a Reddit export",
    "telegram": "a Telegram channel's export",
    "dataset": "a dataset",
    "csv": "a CSV file",
    "json": "a JSON file",
    "jsonl": "a JSONL file",
    "parquet": "a Parquet file",
    "text": "a text file",
}


def render(record: RunRecord) -> str:
    """Return the card; raise HubtweetsError where the record lacks a section that the card shows."""
    for section, stage in (("dataset", "curate"), ("training", "train"), ("metrics", "train"), ("samples", "sample")):
        if getattr(record, section) is None:
            raise HubtweetsError(f"@{record.handle} has no {section} to show yet; type: hubtweets {stage} {record.handle}")
    jinja = environment(finalize=markdown)
    body = jinja.get_template("model_card.md.j2").render(
        **vars(record),
        record=record,
        names=[plain(profile.name, 100) or profile.handle for profile in record.profiles],
        kinds=list(dict.fromkeys(KINDS[source.kind] for source in record.sources)),
        authors=list(zip(record.profiles, record.sources, record.counts, record.passes, strict=True)),
        downloaded=sum(counts.downloaded for counts in record.counts),
        kept=sum(counts.kept for counts in record.counts),
        masked=sum(counts.masked for counts in record.counts),
        rows=stats_rows(record.counts),
    )
    return f"---\n{front_matter(record)}---\n\n{body}"


def front_matter(record: RunRecord) -> str:
    """Return the card's metadata as YAML: only keys that the Hub reads, only values that are known."""
    assert record.target and record.dataset and record.base and record.samples
    prompt = plain(record.samples.prompt)
    languages = list(record.dataset.languages)
    metadata: dict[str, Any] = {
        "language": languages if len(languages) > 1 else next(iter(languages), None),
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
