"""`--json`: the result of a command as one JSON document on standard output.

docs/json.md lists the fields. Errors stay one line on standard error with an exit code, as they are
for `gh`, `hf` and `uv`: a script that checks the code has no document to read then.
"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from hubtweets.cli import console
from hubtweets.cli.options import output

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

JSON_SCHEMA_VERSION = 1  # of all documents; higher after a field was removed or means another thing

json_option = output("--json", is_flag=True, help="Print the result as JSON; see docs/json.md.")


def print_json(facts: "DataclassInstance") -> None:
    """Print a dataclass as JSON; as ASCII, so that a terminal acts on nothing in it."""
    document = {"schema_version": JSON_SCHEMA_VERSION} | asdict(facts)
    console.end_display()
    click.echo(json.dumps(document, indent=2, allow_nan=False))
