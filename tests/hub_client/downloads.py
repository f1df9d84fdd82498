"""Files, as the client fetches them."""

from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, HfFileSystem

from tests.hub_client.tools import (
    BIG,
    CARD,
    ENDPOINT,
    ENTRY_NOT_FOUND,
    FILES,
    NOT_FOUND,
    REVISION_NOT_FOUND,
    Repo,
    ends,
    filled,
    oid,
    same,
)


def downloads(repo: Repo, folder: Path) -> None:
    first = filled(repo)
    repo.create_tag(tag="v1")
    repo.create_branch(branch="feature/x")
    repo.commit(
        "newer",
        CommitOperationAdd("README.md", b"newer"),
        CommitOperationAdd("weights.bin", BIG[::-1]),
    )
    pull = repo.commit("pull", CommitOperationAdd("README.md", b"pull"), create_pr=True)
    new = {**FILES, "README.md": b"newer", "weights.bin": BIG[::-1]}
    revisions = {
        "v1": FILES,
        "refs/tags/v1": FILES,
        "feature/x": FILES,
        "refs/heads/feature/x": FILES,
        first: FILES,
        first[:8]: FILES,
    }
    revisions |= {
        "main": new,
        repo.sha: new,
        "refs/pr/1": new | {"README.md": b"pull"},
        pull.oid: new | {"README.md": b"pull"},
    }
    for revision, wanted in revisions.items():
        path = Path(repo.hf_hub_download(filename="README.md", revision=revision))
        same(
            (path.read_bytes(), path.parent.name),
            (wanted["README.md"], repo.repo_info(revision=revision).sha),
        )
    for revision in ("v1", "feature/x", first, "refs/pr/1"):
        same((revision, repo.files(revision)), (revision, revisions[revision]))
    for name in ("weights.bin", "folder/deep/a.txt"):
        same(Path(repo.hf_hub_download(filename=name, local_dir=folder)).read_bytes(), new[name])
        same(
            Path(repo.hf_hub_download(filename=name, local_dir=folder, revision="v1")).read_bytes(),
            FILES[name],
        )
        path = Path(repo.hf_hub_download(filename=name))
        path.write_bytes(b"damaged")
        same(Path(repo.hf_hub_download(filename=name)).read_bytes(), b"damaged")
        same(Path(repo.hf_hub_download(filename=name, force_download=True)).read_bytes(), new[name])
    same(Path(repo.hf_hub_download(subfolder="folder", filename="b.txt")).read_bytes(), b"b")
    some = Path(
        repo.snapshot_download(
            allow_patterns="*.txt", ignore_patterns="folder/deep/*", cache_dir=folder / "some"
        )
    )
    same(sorted(path.name for path in some.rglob("*") if path.is_file()), ["b.txt", "empty.txt"])
    repo.snapshot_download(local_dir=folder / "whole")
    checked = repo.verify_repo_checksums(local_dir=folder / "whole")
    same((checked.checked_count, checked.mismatches, checked.missing_paths), (6, [], []))

    url = f"{ENDPOINT}/{repo.address}/resolve/v1/"
    for name, etag in (
        ("weights.bin", sha256(BIG).hexdigest()),
        ("README.md", oid(CARD)),
        ("empty.txt", oid(b"")),
    ):
        about = repo.metadata(name, "v1")
        same(
            (about.commit_hash, about.etag, about.location, about.size),
            (first, etag, url + name, len(FILES[name])),
        )
    absent = partial(repo.hf_hub_download, filename="nope")
    ends(
        ENTRY_NOT_FOUND,
        absent,
        partial(absent, revision="v1"),
        partial(absent, filename="folder"),
        partial(absent, filename="readme.md"),
    )
    ends(
        REVISION_NOT_FOUND,
        partial(absent, revision="nope"),
        partial(repo.snapshot_download, revision="nope"),
    )
    ends(
        NOT_FOUND,
        repo.beside("-nope").snapshot_download,
        partial(repo.beside("-nope").hf_hub_download, filename="x"),
    )
    offline = partial(repo.hf_hub_download, filename="README.md", local_files_only=True)
    same(Path(offline(revision="v1")).read_bytes(), CARD)


def filesystem(repo: Repo, folder: Path) -> None:
    filled(repo)
    repo.create_tag(tag="v1")
    files = HfFileSystem()
    root = repo.address
    wanted = {
        f"{root}/{name}"
        for name in (".gitattributes", "README.md", "empty.txt", "folder", "weights.bin")
    }
    same({*map(str, files.ls(root, detail=False))}, wanted)
    same(
        sorted(files.glob(f"{root}/**/*.txt")),
        [f"{root}/{name}" for name in ("empty.txt", "folder/b.txt", "folder/deep/a.txt")],
    )
    with files.open(f"{root}/weights.bin", "rb", block_size=2**16) as file:
        file.seek(100_000)
        same(
            (file.read(70_000), file.seek(-5, 2), file.read()),
            (BIG[100_000:170_000], len(BIG) - 5, BIG[-5:]),
        )
    with files.open(f"{root}/new/hello.txt", "wb") as file:
        file.write(b"hello")
    same(
        (
            files.cat(f"{root}/new/hello.txt"),
            files.exists(f"{root}@v1/new"),
            files.isdir(f"{root}/new"),
        ),
        (b"hello", False, True),
    )
    same(
        (
            files.info(f"{root}/weights.bin")["size"],
            files.read_text(f"{root}@v1/folder/deep/a.txt"),
        ),
        (len(BIG), "a\n"),
    )
    files.get(f"{root}/weights.bin", str(folder / "got.bin"))
    same((folder / "got.bin").read_bytes(), BIG)
    files.cp(f"{root}/new/hello.txt", f"{root}/copy.txt")
    files.mv(f"{root}/weights.bin", f"{root}/moved.bin")
    files.rm(f"{root}/folder", recursive=True)
    repo.holds(
        {
            "README.md": CARD,
            "copy.txt": b"hello",
            "empty.txt": b"",
            "moved.bin": BIG,
            "new/hello.txt": b"hello",
        }
    )


def safetensors(repo: Repo, folder: Path) -> None:
    import numpy
    from safetensors.numpy import save

    tensors: dict[str, Any] = {
        "a": numpy.zeros((2, 3), numpy.float32),
        "b": numpy.zeros((50_000,), numpy.float16),
    }
    repo.add(**{"model.safetensors": save(tensors, {"format": "pt"})})
    found = repo.get_safetensors_metadata()
    same(
        (found.parameter_count, found.weight_map),
        ({"F32": 6, "F16": 50_000}, {"a": "model.safetensors", "b": "model.safetensors"}),
    )
    same(found.files_metadata["model.safetensors"].metadata, {"format": "pt"})
    same(repo.beside("").file_exists(filename="model.safetensors"), True)
