"""A repo's settings and the names that a repo can have."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

KINDS = ("models", "datasets", "spaces")
REPO_ID = re.compile(r"(?!.*(--|\.\.))\w[\w.-]{0,95}/\w(?:[\w.-]{0,94}\w)?(?<!\.git)", re.ASCII)

BINARY_SUFFIXES = (
    "7z arrow bin bz2 ckpt gguf gz h5 joblib npy npz onnx parquet "
    "pickle pkl pt pth safetensors tar tgz xz zip zst"
)
GITATTRIBUTES = "".join(
    f"*.{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in BINARY_SUFFIXES.split()
)


@dataclass(frozen=True)
class Repo:
    kind: str
    id: str
    private: bool
    created_at: str
    gated: str | bool = False

    @property
    def path(self) -> str:
        """The repo's path on a Hub, without the host."""
        return f"/{'' if self.kind == 'models' else self.kind + '/'}{self.id}"


def list_spellings(folder: Path, kind: str, repo_id: str) -> list[str]:
    """Return the names of folders of a kind that are a repo's name, whatever the case."""
    if kind not in KINDS or not REPO_ID.fullmatch(repo_id):
        return []
    namespace, _, name = repo_id.lower().partition("/")
    return [
        f"{path.parent.name}/{path.name}"
        for parent in list_folders(folder / kind)
        if parent.name.lower() == namespace
        for path in list_folders(parent)
        if path.name.lower() == name
    ]


def list_folders(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # missing, or removed in the meantime
        return []


def format_now() -> str:
    """Return the current time in UTC as the Hub writes it, with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
