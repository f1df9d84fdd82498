from dataclasses import replace
from typing import get_args

import pytest

from hubtweets.card import licensing, model_card
from hubtweets.errors import HubtweetsError
from hubtweets.posts.source_kinds import SourceKind
from hubtweets.record.run_record import Base, Consent, License, Source, Terms
from tests.records import RECORD

MIT, OTHER = License("mit"), License("other", "mine", "https://a.example/licence")


def based(license: License | None) -> Base:
    return Base("a/b", "d" * 40, license, (), on_hub=True)


@pytest.mark.parametrize(
    ("base", "given", "expected"),
    [
        (MIT, None, MIT),
        (MIT, "mit", MIT),
        (OTHER, None, OTHER),
        (None, "apache-2.0", License("apache-2.0")),
        (License("unknown"), "mit", MIT),
        (License("mine"), "mit", MIT),
        (None, None, "a/b names no licence; ask its author, and type: --license ID"),
        (
            License("unknown"),
            None,
            "a/b names the licence unknown, which the Hub has no id for; "
            "ask its author, and type: --license ID",
        ),
        (
            MIT,
            "cc0-1.0",
            "--license cc0-1.0: a/b is under mit, and so are models made from it; "
            "leave out --license",
        ),
        (
            OTHER,
            "mit",
            "--license mit: a/b is under other, and so are models made from it; "
            "leave out --license",
        ),
        (
            None,
            "other",
            "--license other: has no name and no text; "
            "take one that has, as in --license mit, or another --base",
        ),
        (None, "Apache-2", "--license Apache-2: the Hub has no such licence; use apache-2.0"),
        (
            None,
            "xyzzy",
            "--license xyzzy: the Hub has no such licence; use mit, apache-2.0 or another of "
            "https://huggingface.co/docs/hub/repositories-licenses",
        ),
    ],
)
def test_the_licence_is_the_bases_or_a_given_one_or_refused(
    base: License | None, given: str | None, expected: License | str
) -> None:
    try:
        found: License | str = licensing.choose_terms(based(base), given, None).license
    except HubtweetsError as error:
        found = str(error)
    assert found == expected


@pytest.mark.parametrize(
    ("kinds", "consent", "private"),
    [
        (["x-archive"], None, False),
        (["jsonl", "text"], None, False),
        (["x-archive", "bluesky-api"], None, True),
        (["x-api"], None, True),
        (["x-json"], None, True),
        (["bluesky-json"], None, True),
        (["mastodon-json"], None, True),
        (["bluesky-archive"], None, True),
        (["bluesky-archive"], "own", False),
        (["telegram"], None, True),
        (["mastodon-api"], None, True),
        (["dataset"], "given", True),
        (["dataset", "x-api"], "own", False),
    ],
)
def test_posts_that_came_by_an_open_way_are_published_private(
    kinds: list[SourceKind], consent: Consent | None, private: bool
) -> None:
    assert (
        licensing.is_private(
            [Source(kind, "a" * 64, None, None) for kind in kinds], Terms(MIT, consent)
        )
        is private
    )


@pytest.mark.parametrize("consent", [None, "given", "own"])
def test_the_posts_of_a_protected_account_are_published_private(consent: Consent | None) -> None:
    mine, protected = (
        Source("x-archive", "a" * 64, None, None),
        Source("x-archive", "b" * 64, None, None, protected=True),
    )
    assert licensing.is_private([mine, protected], Terms(MIT, consent)) is True
    expected = (
        "because the account is protected, and its posts are for its followers; "
        "add --public to publish the bot anyway"
    )
    assert licensing.explain_private([mine, protected]) == expected
    assert licensing.explain_private([mine]) == licensing.WHY_PRIVATE


@pytest.mark.parametrize("kind", get_args(SourceKind))
def test_the_card_and_the_default_privacy_agree_on_who_can_get_a_source(kind: SourceKind) -> None:
    for dataset in (None, "org/posts"):
        source = Source(kind, "a" * 64, None, None, dataset)
        if model_card.describe_source(source).endswith("which is public"):
            assert licensing.is_private([source], Terms(MIT))
        if model_card.describe_source(source).endswith("which only the account's owner is given"):
            assert not licensing.is_private([source], Terms(MIT))


def test_a_run_keeps_its_terms_unless_others_are_said() -> None:
    unnamed = replace(RECORD, base=based(None), terms=Terms(MIT, "own"))
    assert licensing.choose_run_terms(unnamed, None, None) == Terms(MIT, "own")
    assert licensing.choose_run_terms(unnamed, "apache-2.0", "given") == Terms(
        License("apache-2.0"), "given"
    )
    assert licensing.choose_run_terms(
        replace(RECORD, base=based(OTHER), terms=Terms(MIT, "own")), None, None
    ) == Terms(OTHER, "own")
    with pytest.raises(HubtweetsError, match="names no licence"):
        licensing.choose_run_terms(replace(unnamed, terms=None), None, None)
    with pytest.raises(
        HubtweetsError, match=r"^@lyons____ has no base yet; type: hubtweets train lyons____$"
    ):
        licensing.choose_run_terms(replace(RECORD, base=None), None, None)
