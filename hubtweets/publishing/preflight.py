"""Check before a training everything that a push could fail on later, and report it all at once.

In: what a publish is asked for. Out: what was found out on the way, or every problem, each with
a fix. If the Hub is unreachable, the other checks still run.
"""

from collections.abc import Callable, Iterable
from typing import Any

from hubtweets.errors import HubtweetsError, ProblemsError
from hubtweets.progress import activity
from hubtweets.publishing import checks
from hubtweets.publishing.checks import Check, Context
from hubtweets.publishing.connection import Hub
from hubtweets.publishing.request import PreparedPublish, PublishRequest
from hubtweets.record.run_folder import RunFolder

# In this order, as a check uses what those before it found out.
CHECKS_OF_REQUEST: tuple[Check, ...] = (
    checks.find_user,
    checks.find_target,
    checks.check_permissions,
    checks.check_upload,
    checks.find_base,
    checks.read_base,
    checks.choose_terms,
    checks.check_trackers,
    checks.check_adapter,
    checks.check_context_length,
    checks.check_disk_for_training,
    checks.check_disk_for_download,
    checks.check_tag,
    checks.check_secrets_in_options,
    checks.check_secrets_in_base,
    checks.parse_read_options,
)
CHECKS_OF_POSTS: tuple[Check, ...] = (
    checks.check_secrets_in_profiles,
    checks.choose_visibility,
    checks.check_visibility,
    checks.check_card,
)


def prepare_publish(
    run: RunFolder,
    hub: Hub,
    request: PublishRequest,
    parse_read_options: Callable[[], dict[str, Any]],
    curate: Callable[..., object],
) -> PreparedPublish:
    """Read the posts, and check everything that publishing needs.

    Posts that are read over the network, which takes time and maybe money, are read only if there
    are no other problems. Raises HubtweetsError with every problem, each with a fix.
    """
    context, problems = Context(run, hub, request, parse_read_options, curate), ProblemCollector()
    with activity("checking what publishing needs"):
        for check in CHECKS_OF_REQUEST:
            problems.collect(check, context)
    if context.reads_network():
        problems.raise_any()
    if context.read_options and problems.collect(checks.read_posts, context):
        for check in CHECKS_OF_POSTS:
            problems.collect(check, context)
    problems.raise_any()
    return context.to_prepared()


class ProblemCollector:
    """The problems found so far, in order, without duplicates."""

    def __init__(self) -> None:
        self.problems: dict[str, None] = {}

    def collect(self, check: Check, context: Context) -> bool:
        """Run a check, and add the problems that it yields or raises; return whether it ended."""
        try:
            self.add(check(context) or ())
        except HubtweetsError as error:
            self.add(error.lines if isinstance(error, ProblemsError) else [str(error)])
            return False
        return True

    def add(self, problems: Iterable[str]) -> None:
        for problem in problems:
            self.problems[problem] = None

    def raise_any(self) -> None:
        """Raise HubtweetsError with all problems, if there are any."""
        if self.problems:
            raise ProblemsError(list(self.problems))
