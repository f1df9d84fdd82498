"""The samples of a bot against its record: what is picked, what copies, and the audit again."""

import math
from collections.abc import Iterator

from hubtweets import __version__
from hubtweets.evaluation import memorization
from hubtweets.record.samples import (
    MAX_COPY_EXCESS,
    MIN_RUN_CHARS,
    MIN_WHOLE_CHARS,
    MemorizationAudit,
    Sample,
    Samples,
)
from hubtweets.verification.claims import Bot, Verdict


def check_samples(bot: Bot) -> Verdict:
    """The audit's counts are those of the recorded samples, and none that was picked is a copy."""
    samples, audit = bot.record.samples, bot.record.audit
    assert samples and audit
    copied = [one.copied.share >= audit.threshold for one in samples.samples]
    if any(not 1 <= number <= len(copied) for number in samples.picked):
        return False, f"there are {len(copied)} samples, and number {max(samples.picked)} is picked"
    if wrong := [number for number in samples.picked if copied[number - 1]]:
        return False, f"number {wrong[0]} is picked and is a copy"
    if misplaced := next(find_wrong_picks(samples, audit), None):
        return False, misplaced
    if (audit.samples, audit.copies) != (len(copied), sum(copied)):
        return (
            False,
            f"{audit.copies} of {audit.samples} are said to be copies; "
            f"the samples make it {sum(copied)} of {len(copied)}",
        )
    if (audit.long, audit.whole, audit.margin) != (
        MIN_RUN_CHARS,
        MIN_WHOLE_CHARS,
        MAX_COPY_EXCESS,
    ) and bot.record.hubtweets_version == __version__:
        return (
            False,
            f"copies are measured from {audit.long} and {audit.whole} characters on, "
            f"and hubtweets does so from {MIN_RUN_CHARS} and {MIN_WHOLE_CHARS}",
        )
    if (
        not memorization.MIN_COPY_SHARE <= audit.threshold <= 1
        or not 0 <= audit.held_out_copies <= audit.held_out
    ):
        floor = f"{audit.held_out_copies} of {audit.held_out} held-out posts"
        return False, f"a threshold of {audit.threshold:g} with {floor} is none that hubtweets sets"
    info = bot.record.dataset
    assert info
    step = max(1, -(-info.validation_posts // memorization.MAX_HELD_OUT_POSTS))
    if audit.held_out != -(-info.validation_posts // step):
        return (
            False,
            f"{audit.held_out} held-out posts make the floor, "
            f"and {info.validation_posts} were held out",
        )
    for number, (one, copy) in enumerate(zip(samples.samples, copied, strict=True), 1):
        if (one.text is None) != copy or not (one.text or one.prompt).startswith(one.prompt):
            return False, f"number {number} is not a text from its prompt"
        if not can_be_measured(one):
            return (
                False,
                f"number {number} has {one.copied} of {one.text!r} in the posts, which can't be",
            )
    return (
        True,
        f"{audit.copies} of {audit.samples} copy; {len(samples.picked)} that don't are shown",
    )


def find_wrong_picks(samples: Samples, audit: MemorizationAudit) -> Iterator[str]:
    """Yield why samples can't have been picked.

    A text adds something to its prompt, and hubtweets itself picks one from each prompt at most.
    """
    free = set(audit.list_showable(samples.samples))
    yield from (
        f"number {number} is picked and adds nothing to its prompt"
        for number in samples.picked
        if number not in free
    )
    prompts = [one.prompt for one in samples.list_picked()]
    if not samples.chosen and len(prompts) != len(set(prompts)):
        yield "several samples from one prompt are picked, and the publisher did not choose them"


def can_be_measured(one: Sample) -> bool:
    """Tell whether a text can have its measures.

    None is longer than the text, and a share needs a run that is long enough
    (`memorization.measure_overlap`).
    """
    words, characters, share = one.copied.words, one.copied.characters, one.copied.share
    longest = math.inf if one.text is None else len(memorization.normalize_text(one.text))
    is_whole = 0 <= words <= characters <= longest and 0 <= share <= 1
    # A wide character counts as two.
    return (
        is_whole
        and (characters < MIN_RUN_CHARS or share > 0)
        and (share == 0 or characters >= MIN_WHOLE_CHARS / 2)
    )


def check_audit(bot: Bot) -> Verdict:
    """The audit, done again on the recorded samples against the posts, finds the same."""
    samples, audit = bot.record.samples, bot.record.audit
    assert samples and audit
    if bot.posts is None:
        return None, f"the posts are not at hand (looked for in {bot.run_folder})"
    posts, held_out = ([text for texts in side.values() for text in texts] for side in bot.posts)
    known = [one for one in samples.samples if one.text is not None]
    again, measured = memorization.audit([one.text or "" for one in known], held_out, posts)
    for one, copied in zip(known, measured, strict=True):
        if copied != one.copied:
            found, said = (
                f"{it.share:.0%}, {it.words} words, {it.characters} characters"
                for it in (copied, one.copied)
            )
            return False, f"{found} of it in the posts, not {said}: {one.text!r}"
    floor, recorded = ((one.held_out, one.held_out_copies) for one in (again, audit))
    if floor != recorded or not math.isclose(again.threshold, audit.threshold, rel_tol=1e-6):
        return (
            False,
            f"{floor[1]} of {floor[0]} held-out posts copy at {again.threshold:.0%}, "
            f"not {recorded[1]} of {recorded[0]} at {audit.threshold:.0%}",
        )
    withheld = len(samples.samples) - len(known)
    return True, f"the same again for {len(known)} samples and {floor[0]} held-out posts" + (
        f"; withheld texts: {withheld}" if withheld else ""
    )
