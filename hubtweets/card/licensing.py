"""Under what a bot is published: the weights' licence, and the right to the posts."""

from collections.abc import Sequence
from difflib import get_close_matches

from hubtweets.card.hub_schema import LICENSES
from hubtweets.errors import HubtweetsError
from hubtweets.posts.origins import access_of
from hubtweets.record.run_record import Base, Consent, License, RunRecord, Source, Terms

KNOWN_LICENSES = [id for id in LICENSES.split() if id != "unknown"]
OTHER_LICENSE = (
    "other"  # a licence that the Hub has no id for; the base's card gives its name and its text
)

WHY_PRIVATE = "for these posts came by a way that is open to everybody; say --consent own where they are yours, or --public"

WHY_PROTECTED = "for the account is protected, and its posts were for its followers; say --public to publish the bot anyway"


def choose_terms(base: Base, license: str | None, consent: Consent | None) -> Terms:
    """Return the base's licence, or the one that is given where it names none that the Hub knows.

    Raises HubtweetsError for none, for another than the base's, and for one that is no id of the Hub.
    """
    own = base.license if base.license and base.license.id in KNOWN_LICENSES else None
    if own is None and license is None:
        named = (
            f"the licence {base.license.id}, which is no id of the Hub's"
            if base.license
            else "no licence"
        )
        raise HubtweetsError(f"{base.id} names {named}; ask who made it, and type: --license ID")
    if own is None:
        return Terms(License(check_license(str(license))), consent)
    if license not in (None, own.id):
        raise HubtweetsError(
            f"--license {license}: {base.id} is under {own.id}, and so is what is made of it; leave --license out"
        )
    return Terms(own, consent)


def check_license(id: str) -> str:
    """Return the id of a licence; raise HubtweetsError where the Hub knows none such, or where it says nothing by itself."""
    if id == OTHER_LICENSE:
        raise HubtweetsError(
            "--license other: says nothing without a name and a text; name one, as in --license mit, or take another --base"
        )
    if id not in KNOWN_LICENSES:
        near = (
            ", ".join(get_close_matches(id.lower(), KNOWN_LICENSES, 3))
            or "mit, apache-2.0 or another of https://huggingface.co/docs/hub/repositories-licenses"
        )
        raise HubtweetsError(f"--license {id}: the Hub knows no such licence; take {near}")
    return id


def choose_run_terms(record: RunRecord, license: str | None, consent: Consent | None) -> Terms:
    """Return the terms of a run that has a base, those that it had where nothing else is said."""
    if record.base is None:
        raise HubtweetsError(
            f"@{record.handle} has no base yet; type: hubtweets train {record.handle}"
        )
    if before := record.terms:
        if record.base.license is None or record.base.license.id not in KNOWN_LICENSES:
            license = license or before.license.id
        consent = consent or before.consent
    return choose_terms(record.base, license, consent)


def is_private(sources: Sequence[Source], terms: Terms) -> bool:
    """Tell whether a repo is private by default.

    It is if an account is protected, and if others can get a source too, unless the publisher says that the posts are theirs.
    """
    if any(source.protected for source in sources):
        return True
    return terms.consent != "own" and any(
        access_of(source.kind, source.dataset) in ("anybody", "granted") for source in sources
    )


def explain_private(sources: Sequence[Source]) -> str:
    """Return why a repo is private by default, and what to type if it should not be."""
    return WHY_PROTECTED if any(source.protected for source in sources) else WHY_PRIVATE
