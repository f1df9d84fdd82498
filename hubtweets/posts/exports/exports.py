"""The exports of Threads and Instagram, Reddit, and Telegram.

In: the zip or folder that the service made, or its one file of posts. Out: its posts. Only those files are opened; the messages, addresses and
numbers beside them are not. Reddit's and Telegram's are streamed, those of Threads and Instagram are read at once, up to 8 MiB a file. The
formats are documented nowhere, and none of them says whose it is.
"""

from hubtweets.errors import HubtweetsError
from hubtweets.posts.container import Container, base_name
from hubtweets.posts.exports.reddit import is_reddit, read_reddit
from hubtweets.posts.exports.telegram import is_telegram, read_telegram
from hubtweets.posts.exports.threads import THREADS, is_threads, read_threads
from hubtweets.posts.post import Profile, Reading, SourceKind


def find_files(container: Container) -> list[str]:
    """Return the export's files of posts."""
    for is_wanted in (is_threads, is_reddit, is_telegram):
        if names := sorted(name for name in container.names if is_wanted(container, name)):
            return names
    return []


def read(container: Container) -> Reading:
    """Read an export; raise HubtweetsError where it is damaged, or holds messages and not posts."""
    names = find_files(container)
    if len({base_name(name) for name in names}) < len(names):
        raise HubtweetsError(
            f"{container.path}: more than one export in it ({', '.join(names[:4])}); give one of them"
        )
    if is_reddit(container, names[0]):
        return Reading("reddit", Profile("", ""), None, read_reddit(container, names))
    if is_telegram(container, names[0]):
        return read_telegram(container, names[0])
    kind: SourceKind = (
        "threads" if any(base_name(name) == THREADS for name in names) else "instagram"
    )
    return Reading(kind, Profile("", ""), None, read_threads(container, names))


# ---- Threads and Instagram


# ---- Reddit


# ---- Telegram
