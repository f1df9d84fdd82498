"""Datasets on the Hub.

In: the id of a dataset, the names of its columns, and an author. Out: a Reading of the author's
posts in its train split, which is streamed, and twice if it has a column for the authors.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hubtweets.errors import HubtweetsError
from hubtweets.posts.authors import choose_author, warn_of_others
from hubtweets.posts.post import Columns, Profile, Reading
from hubtweets.posts.tables.arrow import read_table_rows, translate_errors
from hubtweets.posts.tables.rows import (
    Fields,
    Format,
    Row,
    get_author,
    list_columns,
    require_columns,
    to_posts,
)


def fetch(name: str, columns: Columns, handle: str) -> Reading:
    """Read the posts of `handle` in the train split of a dataset on the Hub.

    Raises HubtweetsError if there is none, the token has no access, a column is missing, or the
    dataset has several authors and none of them is `handle`.
    """
    import datasets

    source = f"dataset:{name}"
    check_id(name, source)
    with quiet(), translate_errors(source):
        # by its id alone, a folder of this machine would come first
        table = datasets.load_dataset(f"hf://datasets/{name}", split="train", streaming=True)
        names = table.column_names or list(next(iter(table), {}))
        fields = require_columns(names, columns, source)
        table = table.select_columns(list_columns(fields))
    counts = count_authors(table, fields, source)
    author = choose_author(source, counts, {}, handle)
    warnings = warn_of_others(source, counts, {}, author)
    rows = read_dataset_rows(table, fields, source, author if len(counts) > 1 else None)
    posts = to_posts(rows, columns, source, Format("dataset", read_table_rows), warnings)
    public = name if is_public_dataset(name) else None
    return Reading("dataset", Profile("", ""), None, posts, warnings, public)


def check_id(name: str, source: str) -> None:
    """Raise HubtweetsError if this can't be the id of a dataset."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(name)
    except HFValidationError:
        name = ""
    if "/" not in name:
        raise HubtweetsError(f"{source}: not the id of a dataset; write dataset:NAMESPACE/NAME")


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the logs and progress bars of datasets and huggingface_hub.

    The progress bars of huggingface_hub are enabled again afterwards, for a push.
    """
    import datasets
    from huggingface_hub.utils import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
        logging,
    )

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)  # it raises all that it logs
    logging.set_verbosity_error()
    shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            enable_progress_bars()


def is_public_dataset(name: str) -> bool:
    """Return whether a dataset can be read without a token; False if the Hub does not say."""
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return not HfApi(token=False).dataset_info(name).gated
    except (HfHubHTTPError, httpx2.TransportError, ConnectionError):
        return False


def count_authors(table: Any, fields: Fields, source: str) -> Counter[str]:
    """Return how many rows each author has; none if no column tells."""
    if not fields.author:
        return Counter()
    rows = read_dataset_rows(table.select_columns([fields.author]), fields, source, None)
    return Counter(author for _, row, _ in rows if (author := get_author(row, fields)))


def read_dataset_rows(table: Any, fields: Fields, source: str, author: str | None) -> Iterator[Row]:
    """Yield the rows of an author, or all of them."""
    with translate_errors(source):
        for number, row in enumerate(table, 1):
            if author is None or get_author(row, fields) == author:
                yield number, row, fields
