"""Pushes repo/ in one commit."""

from typing import TYPE_CHECKING

from hubtweets.errors import ProblemsError
from hubtweets.record.run_folder import RunFolder
from hubtweets.record.run_record import Published

if TYPE_CHECKING:
    from hubtweets.publishing.connection import Hub
    from hubtweets.publishing.push import PushOptions


def push(run: RunFolder, hub: "Hub", options: "PushOptions") -> Published:
    """Push repo/ as it is, in one commit with a tag, and record it."""
    from huggingface_hub.utils import disable_progress_bars

    from hubtweets.publishing import push, secret_scan

    assert run.record.target
    run.log("push: hashing the files")
    run.check_outputs()
    if given_away := list(
        secret_scan.scan_folder(run.repo, secret_scan.find_sensitive_values(hub.api.token))
    ):
        raise ProblemsError(
            [
                f"{line}; take it out of where it came from, and type: "
                f"hubtweets publish {run.authors}"
                for line in given_away
            ]
        )
    with disable_progress_bars():
        published = push.push(
            hub, run.record.target, run.repo, options, run.log, run.record.published
        )
    run.update(published=published)
    return published
