"""What a card says on its publisher's word alone, in one line."""

from hubtweets.card import KINDS
from hubtweets.record import RunRecord

CONSENT = {"own": "that they are the publisher's own", "given": "that their author agreed", None: "nothing of their author's consent"}


def describe(record: RunRecord) -> str:
    """Say what no file can prove: whose posts they are and how they came here, the consent, the funnel, the base's score, hardware and time."""
    assert record.terms and record.environment
    posts = ", ".join(f"@{profile.handle}'s posts from {KINDS[source.kind]}" for profile, source in zip(record.profiles, record.sources, strict=True))
    return (
        f"{posts}, and {CONSENT[record.terms.consent]}; how many were read and left out; the scores, until --deep measures them again; "
        f"{record.environment.device}, {record.environment.seconds:g} s"
    )
