"""The metadata of a card as the Hub checks it.

Sources: huggingface/hub-docs (modelcard.md, docs/hub/repositories-licenses.md) and the messages of
the Hub. A key that the Hub does not check is not checked here. Unlike on the Hub, a dataset or base
model need not exist, since the embedded Hub does not hold them.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

LICENSES = """
apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0
bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear
c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0
cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0
cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 wtfpl
ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1
lgpl-3.0 isc h-research intel-research lppl-1.3c ms-pl apple-ascl apple-amlr mpl-2.0 odc-by odbl
openmdw-1.0 openrail++ osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr
deepfloyd-if-license fair-noncommercial-research-license llama2 llama3 llama3.1 llama3.2 llama3.3
llama4 grok2-community gemma unknown other
"""
LICENSE_IDS = frozenset(LICENSES.split())
MAX_FAULTS = 100  # reported of a card; front matter has room for 40,000
LANGUAGE = re.compile(r"[a-z]{2,3}|code|multilingual")
REPO_ID = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?", re.ASCII)


def to_list(value: object) -> object:
    """Return a single value as a list of it."""
    return value if isinstance(value, list) or value is None else [value]


def check_license_id(value: str) -> str:
    if value not in LICENSE_IDS:
        raise ValueError(
            "must be one of https://huggingface.co/docs/hub/repositories-licenses, or other, "
            f"not {value[:100]!r}"
        )
    return value


def check_language_code(value: str) -> str:
    if not LANGUAGE.fullmatch(value):
        raise ValueError(
            f"with value {value[:100]!r} is not valid; it must be an ISO 639 code of 2 or 3 "
            "lowercase letters, code or multilingual"
        )
    return value


def check_repo_id(value: str) -> str:
    if not REPO_ID.fullmatch(value):
        raise ValueError(f"with value {value[:100]!r} is not valid; it must be a repo id")
    return value


def reject_false(value: object) -> object:
    """Raise ValueError for False, which YAML 1.1 reads for `no`, the code of Norwegian."""
    if value is False:
        raise ValueError('is false in YAML; put quotes around "no"')
    return value


OneOrMany = BeforeValidator(to_list)
Name = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
RepoId = Annotated[str, AfterValidator(check_repo_id)]
Language = Annotated[str, BeforeValidator(reject_false), AfterValidator(check_language_code)]
License = Annotated[str, AfterValidator(check_license_id)]


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")


class Typed(Strict):
    type: Name


class Dataset(Typed):
    name: Name


class Metric(Typed):
    value: Any


class Result(Strict):
    task: Typed
    dataset: Dataset
    metrics: list[Metric]


class Index(Strict):
    name: Name
    results: list[Result]


class Example(Strict):
    text: str | None = None
    example_title: str | None = None


class Card(Strict):
    """The front matter of any card."""

    license: Annotated[list[License] | None, OneOrMany] = None
    license_name: Name | None = None
    license_link: Name | None = None
    language: Annotated[list[Language] | None, OneOrMany] = None
    tags: list[Name] | None = None
    thumbnail: Name | None = None
    datasets: Annotated[list[RepoId] | None, OneOrMany] = None


class ModelCard(Card):
    library_name: Name | None = None
    pipeline_tag: Name | None = None
    base_model: Annotated[list[RepoId] | None, OneOrMany] = None
    base_model_relation: Literal["finetune", "adapter", "merge", "quantized"] | None = None
    widget: list[Example] | None = None
    model_index: Annotated[list[Index] | None, Field(alias="model-index")] = None


class SpaceCard(Card):
    sdk: Literal["gradio", "streamlit", "docker", "static"]


KINDS: dict[str, type[Card]] = {"model": ModelCard, "dataset": Card, "space": SpaceCard}


def find_faults(metadata: dict[str, Any], kind: str) -> list[str]:
    """Return what the Hub would refuse in the card of a kind of repo, at most MAX_FAULTS lines."""
    try:
        KINDS.get(kind, Card).model_validate(metadata)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        return [
            format_fault(drop_index(metadata, fault["loc"]), fault["msg"])
            for fault in found[:MAX_FAULTS]
        ]
    return []


def drop_index(metadata: dict[str, Any], location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Return the location of a fault without the index if the card has no list there."""
    key = str(location[0])
    return location if isinstance(metadata.get(key), list | dict) else location[:1]


def format_fault(location: tuple[int | str, ...], message: str) -> str:
    """Write a fault as the Hub does: "model-index[0].results[0].task" Field required."""
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in location]
    path = "".join(steps).removeprefix(".")
    return f'"{path}" {message.removeprefix("Value error, ")[:2000]}'
