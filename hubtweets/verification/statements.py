"""What a card says that only its publisher can know, in one line."""

from hubtweets.posts.source_kinds import SOURCES
from hubtweets.record.run_record import RunRecord

CONSENT = {
    "own": "that they are the publisher's own",
    "given": "that their author agreed",
    None: "nothing of their author's consent",
}


def describe_statements(record: RunRecord) -> str:
    """Return what no file can prove, in one line.

    It is whose posts they are and how they came here, the consent, the funnel, the base's score,
    hardware and time.
    """
    assert record.terms and record.environment
    posts = []
    for profile, source in zip(record.profiles, record.sources, strict=False):
        posts.append(f"@{profile.handle}'s posts from {SOURCES[source.kind].label}")
    return (
        f"{', '.join(posts)}, and {CONSENT[record.terms.consent]}; "
        "how many were read and left out; the scores, until --deep measures them again; "
        f"{record.environment.device}, {record.environment.seconds:g} s"
    )
