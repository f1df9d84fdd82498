"""Reads the posts, keeps the ones to learn from, splits them."""

import json
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hubtweets import __version__
from hubtweets.config import Curation
from hubtweets.errors import HubtweetsError
from hubtweets.files import replace_atomically, write_atomically
from hubtweets.posts import sources
from hubtweets.posts.post import Columns, Post, Profile, Reading
from hubtweets.posts.source_kinds import are_tweets
from hubtweets.posts.sources import FetchOptions
from hubtweets.progress import track
from hubtweets.record.counts import Counts
from hubtweets.record.run_folder import RunFolder, hash_key
from hubtweets.record.run_record import DatasetInfo, Source

if TYPE_CHECKING:
    from hubtweets.curation.rules import CurationResult

EXPLAINED = "explained.jsonl"
EXPLAINED_COLUMNS = ("author", "verdict", "id", "created_at", "kind", "text")  # of posts.parquet
PROTECTED = (
    "the account is protected, so its posts are for its followers; "
    "if it is yours, and you want them read, type: --protected-posts"
)


def curate(
    run: RunFolder,
    named: Mapping[str, str],
    columns: Columns,
    rules: Curation,
    fetching: FetchOptions,
    protected: bool = False,
) -> bool:
    """Read each author's posts from the source named for the handle, curate and split them.

    Returns False if nothing changed.

    The posts of a protected account are left out unless `protected` asks for them.
    """
    check_same_authors(run, list(named))
    folder = run.folder / "sources"
    paths = {
        handle: sources.fetch_if_needed(source, handle, folder, columns, fetching, run.log)
        for handle, source in named.items()
    }
    hashes = {handle: sources.hash_source(path) for handle, path in paths.items()}
    # another version may know better what to mask
    key = hash_key(__version__, asdict(rules), asdict(columns), hashes, protected)
    if run.is_done("curate", key):
        return False
    readings = {}
    for handle, path in paths.items():
        run.log(f"curate: reading {named[handle]}")
        readings[handle] = sources.read_source(path, handle, columns, protected)
    reading_file = run.folder / "posts.reading"
    try:
        curated = select(readings, rules, reading_file)
        log_counts(run, curated, readings, protected)
        outputs, dataset = write_dataset(run, curated, readings, rules, reading_file)
    finally:
        reading_file.unlink(missing_ok=True)
    avatars = write_avatars(run, [reading.avatar for reading in readings.values()])
    run.finish(
        "curate",
        key,
        [*outputs, *(run.repo / avatar for avatar in avatars if avatar)],
        profiles=tuple(map(make_profile, readings, readings.values(), avatars)),
        sources=tuple(
            make_source(reading, hashes[handle], curated.kept[handle])
            for handle, reading in readings.items()
        ),
        curation=rules,
        counts=curated.counts,
        dataset=dataset,
    )
    return True


def check_same_authors(run: RunFolder, handles: Sequence[str]) -> None:
    """Raise HubtweetsError if the folder is another bot's."""
    profiles = run.record.profiles
    if profiles and handles != [profile.handle for profile in profiles]:
        raise HubtweetsError(
            f"{run.folder}: the bot of {run.authors}, not of {' '.join(handles)}; "
            "choose another folder with --runs DIR"
        )


def select(
    readings: Mapping[str, Reading], rules: Curation, reading_file: Path
) -> "CurationResult":
    """Choose the posts to learn from, and write all of them, masked, to a file as they come."""
    from hubtweets.curation.dataset import write_while_reading
    from hubtweets.curation.rules import curate
    from hubtweets.posts.pii.scrub import scrub_posts

    everything = scrub_posts(
        (handle, post) for handle, reading in readings.items() for post in reading.posts
    )
    written = write_while_reading(everything, reading_file)
    return curate(track(written, "posts"), list(readings), rules)


def log_counts(
    run: RunFolder, curated: "CurationResult", readings: Mapping[str, Reading], protected: bool
) -> None:
    """Log how many posts were kept, with examples; raise HubtweetsError if they are too few."""
    from hubtweets.curation.report import ADD_POSTS, check_amount, format_preview

    of_tweets = are_tweets(reading.kind for reading in readings.values())
    log_table(run, curated.counts, of_tweets)
    for line in ["For example:", *format_preview(curated.shown, of_tweets), ""]:
        run.log(line, row=True)
    for reading in readings.values():
        for warning in reading.warnings:
            run.warn(warning)
    for counts in curated.counts:
        is_left_out = readings[counts.handle].protected and not protected
        if few := check_amount(counts, PROTECTED if is_left_out else ADD_POSTS):
            run.warn(few)


def log_table(run: RunFolder, counts: Sequence[Counts], of_tweets: bool) -> None:
    """Log how many posts were kept, and why the others were dropped."""
    from hubtweets.curation.report import format_table

    for line in ["", *format_table(counts, of_tweets), ""]:
        run.log(line, row=True)


def write_dataset(
    run: RunFolder,
    curated: "CurationResult",
    readings: Mapping[str, Reading],
    rules: Curation,
    reading_file: Path,
) -> tuple[list[Path], DatasetInfo]:
    """Split the kept posts and write the Parquet files; return these and what is recorded."""
    from hubtweets.curation import dataset
    from hubtweets.curation.language import measure_languages

    split = dataset.choose_split(curated.kept, rules.split)
    train, validation = dataset.split_posts(curated.kept, split)
    shown = [handle for handle, reading in readings.items() if is_shown(reading)]
    texts = [post.text for posts in curated.kept.values() for post in posts]
    info = DatasetInfo(
        train_posts=sum(map(len, train.values())),
        train_sha256=dataset.hash_posts(train),
        validation_posts=sum(map(len, validation.values())),
        validation_sha256=dataset.hash_posts(validation),
        split=split,
        languages=measure_languages(texts),
        rows=dataset.choose_examples(train, shown),
    )
    if masked := sum(counts.masked for counts in curated.counts):
        run.log(f"In {masked:,} of the kept posts an address or a number is masked.")
    tenth = "the last tenth" if split == "time" else "a tenth by hash"
    counts = f"{info.train_posts:,} posts to train on, {info.validation_posts:,} held out"
    run.log(f"curate: {counts} ({tenth})")
    posts, folder = run.folder / "posts.parquet", run.folder / "dataset"
    folder.mkdir(exist_ok=True)
    dataset.write_posts(dataset.list_pairs(train), folder / "train.parquet")
    dataset.write_posts(dataset.list_pairs(validation), folder / "validation.parquet")
    dataset.add_verdicts(reading_file, posts, curated.verdicts)
    (run.folder / EXPLAINED).unlink(missing_ok=True)
    return [posts, folder / "train.parquet", folder / "validation.parquet"], info


def make_profile(handle: str, reading: Reading, avatar: str | None) -> Profile:
    """Return an author's profile with personal data masked."""
    from hubtweets.posts.pii.scrub import scrub

    name, bio = scrub(reading.profile.name)[0], scrub(reading.profile.bio or "")[0]
    return replace(reading.profile, handle=handle, name=name, bio=bio or None, avatar=avatar)


def is_shown(reading: Reading) -> bool:
    """Return True if the card may show posts of a source.

    It may not show those of a protected account, nor of a dataset that is private or gated.
    """
    return not reading.protected and (reading.kind != "dataset" or reading.dataset is not None)


def make_source(reading: Reading, sha256: str, kept: Sequence[Post]) -> Source:
    """Return what is recorded of a source, with the dates of its first and last kept post."""
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
    """Write every post that was read as JSON Lines, and return the file.

    A post has its verdict and, if it is kept, its text as the model sees it.
    """
    from hubtweets.curation import dataset

    run.list_outputs("curate")
    path, cleaned = run.folder / EXPLAINED, read_cleaned_texts(run)
    with replace_atomically(path) as partial, partial.open("w", encoding="utf-8") as file:
        for row in dataset.read_rows(run.folder / "posts.parquet"):
            explained = {name: row[name] for name in EXPLAINED_COLUMNS}
            is_kept = row["verdict"] == "kept"
            explained["cleaned_text"] = cleaned[identify(row)].popleft() if is_kept else None
            file.write(json.dumps(explained, ensure_ascii=False) + "\n")
    return path


def read_cleaned_texts(run: RunFolder) -> dict[tuple, deque[str]]:
    """Return the kept texts, in the order in which their posts were read if several are alike."""
    from hubtweets.curation import dataset

    texts: dict[tuple, deque[str]] = defaultdict(deque)
    for part in ("train", "validation"):
        for row in dataset.read_rows(run.folder / "dataset" / f"{part}.parquet"):
            texts[identify(row)].append(row["text"])
    return texts


def identify(row: Mapping[str, str]) -> tuple:
    """Return what tells a post from others; in a table even an id may recur."""
    return row["author"], row["id"], row["created_at"]


def write_avatars(run: RunFolder, images: Sequence[bytes | None]) -> list[str | None]:
    """Write the authors' avatars into repo/, and return their names there; None: no avatar."""
    from hubtweets.card.avatar import crop_to_square

    for profile in run.record.profiles:
        if profile.avatar:
            (run.repo / profile.avatar).unlink(missing_ok=True)
    names: list[str | None] = []
    for number, image in enumerate(images, 1):
        avatar = crop_to_square(image) if image else None
        name = "avatar.png" if number == 1 else f"avatar-{number}.png"
        if avatar:
            write_atomically(run.repo / name, avatar)
        names.append(name if avatar else None)
    return names
