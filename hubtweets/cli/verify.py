"""`hubtweets verify`: a line for each claim of a bot, and a summary."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hubtweets.cli.command import Command, options
from hubtweets.cli.console import write
from hubtweets.cli.json_output import json_option, print_json
from hubtweets.cli.options import hub_option, runs_option
from hubtweets.errors import HubtweetsError

if TYPE_CHECKING:
    from hubtweets.verification.claims import Claim

STYLES = {"ok": "green", "FALSE": "bold red", "unchecked": "yellow", "stated": "bright_black"}


@dataclass(frozen=True)
class Verification:
    """What `verify --json` prints; `exit_code` is that of the command."""

    repo_id: str
    hub: str
    revision: str
    exit_code: int
    claims: "tuple[Claim, ...]"


@click.command(cls=Command)
@click.argument("repo_id")
@click.option(
    "--revision",
    default="main",
    show_default=True,
    help="Check this branch, tag, commit or refs/pr/N.",
)
@click.option(
    "--deep", is_flag=True, help="Score the held-out posts of the run folder's dataset again."
)
@options(hub_option, runs_option, json_option)
def verify(repo_id: str, hub: str | None, runs: str, revision: str, deep: bool, json: bool) -> None:
    """Check every claim of a published bot's card.

    Exits with 0 if all that the repo alone can prove holds, with 1 if anything is false, and with 3
    if something could not be checked.

    \b
    hubtweets verify huggingtweets/lyons____ --hub local
    """
    from hubtweets.publishing.connection import connect, resolve_repo_id
    from hubtweets.verification import verify as verification

    claims = []
    try:
        with connect(hub) as connected:
            for claim in verification.verify(connected, repo_id, revision, Path(runs), deep):
                claims.append(claim)
                if not json:
                    show_claim(claim)
            full_id = resolve_repo_id(connected, repo_id, Path(runs))
    except HubtweetsError as error:  # code 1 is for what is false
        write(("Error: ", "bold red"), str(error), err=True, cut=False)
        raise SystemExit(verification.UNCHECKED) from None
    code = verification.exit_code(claims)
    if json:
        print_json(Verification(full_id, connected.endpoint, revision, code, tuple(claims)))
    else:
        summary, style = summarize(claims)
        write((summary, style))
    raise SystemExit(code)


def show_claim(claim: "Claim") -> None:
    """Print a claim: on a terminal one that holds is cut, any other is wrapped."""
    verdict, _, rest = str(claim).partition(": ")
    write((verdict, STYLES[verdict]), f": {rest}", cut=claim.holds is True)


def summarize(claims: Sequence["Claim"]) -> tuple[str, str]:
    """Return how many claims were checked, how many don't hold, and the style of that."""
    checked = [claim for claim in claims if claim.proof != "publisher"]
    false = sum(claim.holds is False for claim in checked)
    unchecked = sum(claim.holds is None for claim in checked)
    found = [f"{false} false"] * bool(false) + [f"{unchecked} unchecked"] * bool(unchecked)
    if not found:
        return f"{len(checked)} claims checked, all hold", "bold green"
    return (
        f"{len(checked)} claims checked: {', '.join(found)}",
        "bold red" if false else "bold yellow",
    )
