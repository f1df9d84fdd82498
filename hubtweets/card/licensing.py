"""Under what a bot is published: the licence of the weights, and the right to the posts."""

from collections.abc import Sequence
from difflib import get_close_matches

from hubtweets.card.hub_schema import LICENSES
from hubtweets.errors import HubtweetsError
from hubtweets.posts.source_kinds import get_access
from hubtweets.record.run_record import Base, Consent, License, RunRecord, Source, Terms

KNOWN_LICENSES = [id for id in LICENSES.split() if id != "unknown"]
OTHER_LICENSE = "other"  # has no id on the Hub; the base's card gives its name and text
SUGGESTED = "mit, apache-2.0 or another of https://huggingface.co/docs/hub/repositories-licenses"
WHY_PRIVATE = (
    "because anyone can read these posts; add --consent own if they are yours, or add --public"
)
WHY_PROTECTED = (
    "because the account is protected, and its posts are for its followers; "
    "add --public to publish the bot anyway"
)


def choose_terms(base: Base, license: str | None, consent: Consent | None) -> Terms:
    """Return the base's licence, or the given one if the base has none that the Hub knows.

    Raises HubtweetsError if there is neither, if the given one is not the base's, and if it is no
    id of the Hub.
    """
    own = base.license if base.license and base.license.id in KNOWN_LICENSES else None
    if own:
        if license not in (None, own.id):
            raise HubtweetsError(
                f"--license {license}: {base.id} is under {own.id}, and so are models made from "
                "it; leave out --license"
            )
        return Terms(own, consent)
    if license is None:
        named = "no licence"
        if base.license:
            named = f"the licence {base.license.id}, which the Hub has no id for"
        raise HubtweetsError(f"{base.id} names {named}; ask its author, and type: --license ID")
    return Terms(License(check_license(license)), consent)


def check_license(id: str) -> str:
    """Return the id of a licence.

    Raises HubtweetsError if the Hub has no such id, or for `other`, which needs a name and a text.
    """
    if id == OTHER_LICENSE:
        raise HubtweetsError(
            "--license other: has no name and no text; take one that has, as in --license mit, "
            "or another --base"
        )
    if id not in KNOWN_LICENSES:
        similar = ", ".join(get_close_matches(id.lower(), KNOWN_LICENSES, 3))
        raise HubtweetsError(
            f"--license {id}: the Hub has no such licence; use {similar or SUGGESTED}"
        )
    return id


def choose_run_terms(record: RunRecord, license: str | None, consent: Consent | None) -> Terms:
    """Return the terms of a run, which keep their earlier values unless others are given."""
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
    """Return True if a repo is private by default.

    It is if an account is protected. It also is if others can get one of the sources, unless the
    publisher says that the posts are theirs.
    """
    if any(source.protected for source in sources):
        return True
    return terms.consent != "own" and any(
        get_access(source.kind, source.dataset) in ("public", "granted") for source in sources
    )


def explain_private(sources: Sequence[Source]) -> str:
    """Return why a repo is private by default, and what to type if it should not be."""
    return WHY_PROTECTED if any(source.protected for source in sources) else WHY_PRIVATE
