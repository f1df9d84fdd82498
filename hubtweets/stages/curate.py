"""Reads the posts, keeps the ones to learn from, splits them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from hubtweets import __version__
from hubtweets.errors import HubtweetsError
from hubtweets.files import replace_atomically, write_atomically
from hubtweets.posts import sources
from hubtweets.posts.post import Columns, Post, Reading
from hubtweets.posts.sources import FetchOptions
from hubtweets.progress import track
from hubtweets.record.config import Curation
from hubtweets.record.run_folder import RunFolder, hash_key
from hubtweets.record.run_record import DatasetInfo, Source

EXPLAINED = "explained.jsonl"
PROTECTED = "the account is protected, so its posts are for its followers; if it is yours, and you want them read, type: --protected-posts"


def curate(
    run: RunFolder,
    named: Mapping[str, str],
    columns: Columns,
    rules: Curation,
    fetching: FetchOptions,
    protected: bool = False,
) -> None:
    """Read each author's posts from the source that is named for the handle, curate and split them.

    The posts of a protected account are left out unless `protected` asks for them.
    """
    if run.record.profiles and list(named) != [profile.handle for profile in run.record.profiles]:
        raise HubtweetsError(
            f"{run.folder}: the bot of {run.authors}, not of {' '.join(named)}; choose another folder with --runs DIR"
        )
    paths = {
        handle: sources.fetch_if_needed(source, run.folder / "sources", columns, fetching, run.log)
        for handle, source in named.items()
    }
    hashes = {handle: sources.hash_source(path) for handle, path in paths.items()}
    key = hash_key(
        __version__, asdict(rules), asdict(columns), hashes, protected
    )  # another version may know better what to mask
    if run.is_done("curate", key):
        return
    from hubtweets.curation import dataset, language
    from hubtweets.curation.report import ADD_POSTS, check_amount, format_preview, format_table
    from hubtweets.curation.rules import curate as select_posts
    from hubtweets.posts.pii.scrub import scrub, scrub_posts

    readings = {}
    for handle, path in paths.items():
        run.log(f"curate: reading {named[handle]}")
        readings[handle] = sources.read_source(path, handle, columns, protected)
    everything = scrub_posts(
        (handle, post) for handle, reading in readings.items() for post in reading.posts
    )
    read = run.folder / "posts.reading"
    try:
        curated = select_posts(
            track(dataset.write_while_reading(everything, read), "posts"), list(readings), rules
        )
        for line in [
            *format_table(curated.counts),
            "",
            "For example:",
            *format_preview(curated.shown),
            "",
        ]:
            run.log(f"curate: {line}".rstrip())
        for reading in readings.values():
            for warning in reading.warnings:
                run.warn(f"{warning}")
        for counts in curated.counts:
            is_left_out = readings[counts.handle].protected and not protected
            if few := check_amount(counts, PROTECTED if is_left_out else ADD_POSTS):
                run.warn(f"{few}")
        split = dataset.choose_split(curated.kept, rules.split)
        train, validation = dataset.split_posts(curated.kept, split)
        sides = [sum(map(len, side.values())) for side in (train, validation)]
        masked = sum(counts.masked for counts in curated.counts)
        if masked:
            run.log(f"curate: in {masked:,} of the kept posts an address or a number is masked")
        run.log(
            f"curate: {sides[0]:,} posts to train on, {sides[1]:,} held out ({'the last tenth' if split == 'time' else 'a tenth by hash'})"
        )
        outputs = [
            run.folder / name
            for name in ("posts.parquet", "dataset/train.parquet", "dataset/validation.parquet")
        ]
        outputs[1].parent.mkdir(exist_ok=True)
        dataset.write_posts(dataset.list_pairs(train), outputs[1])
        dataset.write_posts(dataset.list_pairs(validation), outputs[2])
        dataset.add_verdicts(read, outputs[0], curated.verdicts)
        (run.folder / EXPLAINED).unlink(missing_ok=True)
    finally:
        read.unlink(missing_ok=True)
    avatars = read_avatars(run, [reading.avatar for reading in readings.values()])
    profiles = [
        replace(
            reading.profile,
            handle=handle,
            name=scrub(reading.profile.name)[0],
            bio=scrub(reading.profile.bio or "")[0] or None,
            avatar=avatar,
        )
        for (handle, reading), avatar in zip(readings.items(), avatars, strict=True)
    ]
    run.finish(
        "curate",
        key,
        [*outputs, *(run.repo / avatar for avatar in avatars if avatar)],
        profiles=tuple(profiles),
        sources=tuple(
            source_of(reading, hashes[handle], curated.kept[handle])
            for handle, reading in readings.items()
        ),
        curation=rules,
        counts=curated.counts,
        dataset=DatasetInfo(
            train_posts=sides[0],
            train_sha256=dataset.hash_posts(train),
            validation_posts=sides[1],
            validation_sha256=dataset.hash_posts(validation),
            split=split,
            languages=language.measure_languages(
                [post.text for posts in curated.kept.values() for post in posts]
            ),
            rows=dataset.choose_examples(
                train, [handle for handle, reading in readings.items() if is_shown(reading)]
            ),
        ),
    )


def is_shown(reading: Reading) -> bool:
    """Tell whether the card may show posts of a source: not those of a protected account, nor of a dataset that not everybody can read."""
    return not reading.protected and (reading.kind != "dataset" or reading.dataset is not None)


def source_of(reading: Reading, sha256: str, kept: Sequence[Post]) -> Source:
    dates = sorted(post.created_at for post in kept if post.created_at)
    return Source(
        reading.kind,
        sha256,
        dates[0] if dates else None,
        dates[-1] if dates else None,
        reading.dataset,
        reading.protected,
    )


def explain(run: RunFolder) -> Path:
    """Write every post that was read with its verdict as JSON Lines into the run folder, and return the file."""
    from hubtweets.curation import dataset

    run.list_outputs("curate")
    path = run.folder / EXPLAINED
    with replace_atomically(path) as partial, partial.open("w", encoding="utf-8") as file:
        for row in dataset.read_rows(run.folder / "posts.parquet"):
            file.write(
                json.dumps(
                    {
                        name: row[name]
                        for name in ("author", "verdict", "id", "created_at", "kind", "text")
                    },
                    ensure_ascii=False,
                )
                + "\n"
            )
    return path


def read_avatars(run: RunFolder, images: Sequence[bytes | None]) -> list[str | None]:
    """Write the authors' avatars into repo/ and return their names there, None for an author without one."""
    from hubtweets.card.avatar import crop_to_square

    for profile in run.record.profiles:
        if profile.avatar:
            (run.repo / profile.avatar).unlink(missing_ok=True)
    names: list[str | None] = []
    for number, image in enumerate(images, 1):
        avatar = crop_to_square(image) if image else None
        names.append(("avatar.png" if number == 1 else f"avatar-{number}.png") if avatar else None)
        if avatar:
            write_atomically(run.repo / str(names[-1]), avatar)
    return names
