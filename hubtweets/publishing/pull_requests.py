"""The pull request that a push opens or uses again, on a Hub that has pull requests."""

from collections.abc import Iterator

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from hubtweets.card.merge import Conflict
from hubtweets.errors import HubtweetsError
from hubtweets.publishing.connection import Hub, ask, is_unknown_request
from hubtweets.publishing.diff import CARD
from hubtweets.publishing.retry import describe_error
from hubtweets.record.run_record import Target


def find_problems(hub: Hub, target: Target, may_create: bool) -> Iterator[str]:
    """Yield why no pull request can be made; a repo that does not exist is created first."""
    error = ask(hub, f"models/{target.repo_id}/discussions")
    if isinstance(error, RepositoryNotFoundError):
        if not may_create:
            yield (
                f"--create-pr: {target.url} not found, or not visible to this token; "
                "choose the --namespace of a repo that exists"
            )
    elif error and (is_unknown_request(error) or error.response.status_code == 403):
        yield (
            f"--create-pr: {target.url} takes no pull requests ({describe_error(error)}); "
            "leave --create-pr out, or push to a new branch instead: --revision NAME"
        )


def open_pull_request(
    api: HfApi, target: Target, message: str, conflicts: tuple[Conflict, ...]
) -> tuple[int, str]:
    """Return the number and the status of the user's pull request with the title of a message.

    One that is open already is used again. Raises HubtweetsError if the Hub has no pull requests.
    """
    title, _, text = (part.strip() for part in message.partition("\n"))
    user = api.whoami()["name"]
    try:
        found = list(
            api.get_repo_discussions(target.repo_id, author=user, discussion_type="pull_request")
        )
    except HfHubHTTPError as error:
        if not is_unknown_request(error):
            raise
        edited = f"edits of {CARD} conflict with this push (see above), and " if conflicts else ""
        undo = "undo them, or " if conflicts else ""
        raise HubtweetsError(
            f"{target.url}: {edited}this Hub has no pull requests; "
            f"{undo}push to a new branch: --revision NAME"
        ) from None
    for one in found:
        if one.title == title and one.status in ("draft", "open"):
            return one.num, one.status
    note = "Made by hubtweets."
    if conflicts:
        edited = "".join(f"\n- {conflict.where}" for conflict in conflicts)
        note = f"Rendered parts of {CARD} were edited; merging this replaces these edits:{edited}"
    description = f"{text}\n\n{note}" if text else note
    made = api.create_pull_request(target.repo_id, title=title, description=description)
    return made.num, made.status
