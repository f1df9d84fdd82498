"""Under what a bot is published: the weights' licence, and the right to the posts."""

from collections.abc import Iterable

from hubtweets.errors import HubtweetsError
from hubtweets.posts import SourceKind
from hubtweets.record import Base, Consent, License, RunRecord, Source, Terms

# anybody can read these; whose posts they are, only --consent tells
OPEN: set[SourceKind] = {"x-api", "x-json", "mastodon-api", "bluesky-api", "dataset"}


def terms_of(base: Base, license: str | None, consent: Consent | None) -> Terms:
    """Return the base's licence, or the one that is given where it names none; raise HubtweetsError for none, or for another than the base's."""
    if base.license is None and license is None:
        raise HubtweetsError(f"{base.id} names no licence; ask who made it, and type: --license ID")
    if base.license and license and license != base.license.id:
        raise HubtweetsError(f"--license {license}: {base.id} is under {base.license.id}, and so is what is made of it; leave --license out")
    return Terms(base.license or License(str(license)), consent)


def of_run(record: RunRecord, license: str | None, consent: Consent | None) -> Terms:
    """Return the terms of a run that has a base, those that it had where nothing else is said."""
    if record.base is None:
        raise HubtweetsError(f"@{record.handle} has no base yet; type: hubtweets train {record.handle}")
    if before := record.terms:
        license = license or (before.license.id if record.base.license is None else None)
        consent = consent or before.consent
    return terms_of(record.base, license, consent)


def is_private(private: bool | None, sources: Iterable[Source], terms: Terms) -> bool:
    """Tell whether a new repo is private: as it was said, or else where somebody else's posts came by an open way."""
    return private if private is not None else terms.consent != "own" and any(source.kind in OPEN for source in sources)
