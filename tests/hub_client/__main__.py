"""The chapters in their order."""

import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from huggingface_hub import HfApi, constants

from tests.hub_client.downloads import downloads, filesystem, safetensors
from tests.hub_client.reading import info, listing, pages, references, tree
from tests.hub_client.repos import accounts, creation, moving, privacy, refusals
from tests.hub_client.talks import discussions, pulls
from tests.hub_client.tools import USER, Repo, left, watch
from tests.hub_client.writing import cards, commits, copies, uploads

# the same with hf_xet and without
ASKING: list[Callable[[Repo, Path], None]] = [
    accounts,
    creation,
    privacy,
    moving,
    refusals,
    info,
    listing,
    tree,
    pages,
    references,
    discussions,
]
SENDING: list[Callable[[Repo, Path], None]] = [
    commits,
    copies,
    uploads,
    cards,
    pulls,
    downloads,
    filesystem,
    safetensors,
]


def main(kind: str) -> int:
    sys.addaudithook(watch)
    failed = []
    asking = [] if kind == "model" and constants.HF_HUB_DISABLE_XET else ASKING
    for chapter in [*asking, *SENDING]:
        if chapter is pages and kind != "model":
            continue  # it takes long, and pages are the same for all
        repo = Repo(HfApi(), kind, f"{USER}/{kind}-{chapter.__name__}")
        with tempfile.TemporaryDirectory() as folder:
            try:
                repo.create()
                chapter(repo, Path(folder))
            except Exception:
                failed.append(f"{chapter.__name__}: {traceback.format_exc()}")
    if left:
        failed.append(f"it asked {left}")
    print(*failed, sep="\n", file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
