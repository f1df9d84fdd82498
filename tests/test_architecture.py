"""The arrows between the modules, and what each may load."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "hubtweets"
MODULES = sorted(path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__") for path in PACKAGE.rglob("*.py"))
PLAIN = {"hubtweets", "hubtweets.errors", "hubtweets.files"}
POSTS = PLAIN | {"hubtweets.posts"}
READER = POSTS | {f"hubtweets.posts.{name}" for name in ("container", "json_stream")}
SERVICE = POSTS | {"hubtweets.posts.http"}
X = {"hubtweets.posts.x.tweet"}
RECORD = POSTS | {f"hubtweets.{name}" for name in ("funnel", "samples", "record")}
TORCH = RECORD | {"hubtweets.training.packing", "hubtweets.models.loading"}
HUB = {"hubtweets.hub.errors", "hubtweets.hub.storage.blobs"}
STORED = HUB | {"hubtweets.hub.storage.storage"}
ASKED = STORED | {"hubtweets.hub.api.requests"}
ENDPOINTS = {f"hubtweets.hub.{name}" for name in ("accounts", "cards", "commits", "discussions", "pages", "reading", "uploads")}
SHOWN = {f"hubtweets.hub.{name}" for name in ("cards", "discussions", "html", "pulls", "samples", "widget")}
VERIFYING = [
    "hubtweets.verification.verify",
    *(
        f"hubtweets.verification.verify.{name}"
        for name in (
            "claims",
            "code_checks",
            "file_checks",
            "limits",
            "model_checks",
            "readme_checks",
            "record_checks",
            "run_checks",
            "statements",
            "visible",
        )
    ),
]
# what a module may import of the package; "lazy" ones inside functions too
ALLOWED = {
    "hubtweets": set(),
    "hubtweets.errors": set(),
    "hubtweets.files": set(),
    "hubtweets.text": set(),
    "hubtweets.__main__": {"hubtweets.cli"},
    "hubtweets.options": RECORD,
    "hubtweets.posts.example.sentences": set(),
    "hubtweets.posts.example.x_archive": PLAIN | {"hubtweets.posts.example.sentences"},
    "hubtweets.posts": set(),
    "hubtweets.posts.origins": POSTS,
    "hubtweets.posts.container": POSTS,
    "hubtweets.posts.json_stream": set(),
    "hubtweets.posts.http": POSTS,
    "hubtweets.posts.cache": POSTS | {"hubtweets.posts.pii.scrub"},
    "hubtweets.posts.x.tweet": POSTS,
    "hubtweets.posts.x.api_v2": POSTS | X,
    "hubtweets.posts.x.archive": READER | X,
    "hubtweets.posts.x.grailbird": READER | X | {"hubtweets.posts.tables.files"},
    "hubtweets.posts.x.saved_json": READER | X | {"hubtweets.posts.x.api_v2"},
    "hubtweets.posts.x.api": SERVICE | {"hubtweets.posts.x.api_v2"},
    "hubtweets.posts.mastodon.archive": READER,
    "hubtweets.posts.mastodon.api": SERVICE | {"hubtweets.posts.mastodon.archive"},
    "hubtweets.posts.exports.misskey": READER | {"hubtweets.posts.exports.exports"},
    "hubtweets.posts.bluesky.archive": READER,
    "hubtweets.posts.bluesky.api": SERVICE | {"hubtweets.posts.bluesky.archive"},
    "hubtweets.posts.tables.audience": POSTS | {"hubtweets.posts.pii.scrub"},
    "hubtweets.posts.tables.rows": READER | X | {"hubtweets.posts.pii.scrub", "hubtweets.posts.tables.audience"},
    "hubtweets.posts.tables.arrow": READER | {"hubtweets.posts.tables.rows"},
    "hubtweets.posts.tables.files": READER | {f"hubtweets.posts.{name}" for name in ("arrow", "audience", "table")},
    "hubtweets.posts.exports.exports": READER | {"hubtweets.posts.tables.files"},
    "hubtweets.posts.sources": {module for module in MODULES if module.startswith("hubtweets.posts")} | PLAIN,
    "hubtweets.curation.duplicates": set(),
    "hubtweets.posts.pii.secret_forms": set(),
    "hubtweets.posts.pii.identifiers": set(),
    "hubtweets.posts.pii.phones": set(),
    "hubtweets.posts.pii.scrub": POSTS | {"hubtweets.posts.pii.secret_forms", "hubtweets.posts.pii.identifiers", "hubtweets.posts.pii.phones"},
    "hubtweets.curation.language": set(),
    "hubtweets.record.counts": set(),
    "hubtweets.record.samples": set(),
    "hubtweets.record.run_record": RECORD,
    "hubtweets.record.serialization": RECORD,
    "hubtweets.curation.rules": RECORD | {f"hubtweets.{name}" for name in ("duplicates", "personal", "rendering")},
    "hubtweets.curation.dataset": RECORD,
    "hubtweets.training.packing": PLAIN,
    "hubtweets.models.loading": RECORD | {"hubtweets.models.inspection"},
    "hubtweets.models.hardware": set(),
    "hubtweets.training.launch": PLAIN | {"hubtweets.models.hardware"},
    "hubtweets.training.progress": set(),
    "hubtweets.training.checkpoints": RECORD | {"hubtweets.training.launch"},
    "hubtweets.training.tracking.trackers": RECORD,
    "hubtweets.training.trainer": TORCH | {f"hubtweets.{name}" for name in ("bar", "checkpoints", "hardware")},
    "hubtweets.evaluation.bits_per_byte": TORCH,
    "hubtweets.evaluation.sampling": TORCH,
    "hubtweets.models.base": RECORD | {"hubtweets.text"},
    "hubtweets.models.inspection": RECORD,
    "hubtweets.stages.pretrain": TORCH | {"hubtweets.training.trainer", "hubtweets.evaluation.bits_per_byte", "hubtweets.text"},
    "hubtweets.card.metadata": RECORD | {"hubtweets.card.hub_schema", "hubtweets.text"},
    "hubtweets.card.model_card": RECORD | {f"hubtweets.{name}" for name in ("copies", "front_matter", "posts.origins", "rendering")},
    "hubtweets.card.figures": RECORD | {"hubtweets.text"},
    "hubtweets.evaluation.memorization": RECORD,
    "hubtweets.group": PLAIN | {"hubtweets.options"},
    "hubtweets.settings": RECORD | {"hubtweets.posts.sources", "hubtweets.text", "hubtweets.record.run_folder"},
    "hubtweets.publishing.secret_scan": {"hubtweets.posts.pii.scrub", "hubtweets.posts.pii.secret_forms"},
    "hubtweets.publishing.permissions": set(),
    "hubtweets.publishing.dependencies": set(),
    "hubtweets.room": PLAIN,
    "hubtweets.publishing.dry_run": RECORD
    | {f"hubtweets.{name}" for name in ("card", "curation", "front_matter", "plan", "preflight", "publisher", "record_json", "rendering", "run")},
    "hubtweets.card.licensing": RECORD | {"hubtweets.card.hub_schema", "hubtweets.posts.origins"},
    "hubtweets.publishing.push": RECORD | {f"hubtweets.{name}" for name in ("hub", "hub.local", "merging", "patience", "plan")},
    "hubtweets.card.blocks": {f"hubtweets.{name}" for name in ("front_matter", "hub.cards", "hub.errors")},
    "hubtweets.card.merge": {f"hubtweets.{name}" for name in ("blocks", "errors", "hub.cards", "hub.errors")},
    "hubtweets.publishing.retry": set(),
    "hubtweets.publishing.diff": RECORD | {"hubtweets.card.merge"},
    "hubtweets.card.snippets": PLAIN,
    "hubtweets.publishing.preflight": set(MODULES)
    - {"hubtweets.cli", "hubtweets.stages", "hubtweets.release", "hubtweets.publishing.preflight", "hubtweets.training.trainer"},
    **dict.fromkeys(
        VERIFYING,
        set(MODULES) - {"hubtweets.cli", "hubtweets.stages", "hubtweets.release", "hubtweets.publishing.preflight", "hubtweets.training.trainer"},
    ),
    "hubtweets.publishing.takedown": RECORD | {"hubtweets.publishing.diff", "hubtweets.publishing.push", "hubtweets.record.serialization"},
    "hubtweets.record.run_folder": RECORD | {"hubtweets.training.launch", "hubtweets.record.serialization"},
    "hubtweets.hub": set(),
    "hubtweets.hub.errors": set(),
    "hubtweets.hub.storage.blobs": {"hubtweets.hub.errors"},
    "hubtweets.hub.storage.tokens": {"hubtweets.hub.storage.blobs"},
    "hubtweets.hub.storage.storage": HUB | {"hubtweets.hub.storage.tokens"},
    "hubtweets.hub.storage.xet": STORED,
    "hubtweets.hub.storage.pull_requests": STORED,
    "hubtweets.hub.storage.integrity": STORED | {"hubtweets.hub.storage.pull_requests"},
    "hubtweets.hub.middleware": {"hubtweets.hub.errors"},
    "hubtweets.hub.connections": set(),
    "hubtweets.hub.api.requests": STORED | {"hubtweets.hub.storage.tokens"},
    "hubtweets.card.hub_schema": set(),
    "hubtweets.hub.api.validation": ASKED | {"hubtweets.card.hub_schema"},
    "hubtweets.hub.api.accounts": ASKED,
    "hubtweets.hub.api.repos": ASKED | {"hubtweets.hub.api.validation", "hubtweets.hub.storage.pull_requests"},
    "hubtweets.hub.api.commits": ASKED | {"hubtweets.hub", "hubtweets.hub.storage.pull_requests"},
    "hubtweets.hub.api.gitignore": {"hubtweets.hub.errors"},
    "hubtweets.hub.api.uploads": ASKED | {"hubtweets.hub", "hubtweets.hub.api.commits", "hubtweets.hub.api.gitignore", "hubtweets.hub.storage.xet"},
    "hubtweets.hub.api.discussions": ASKED | {"hubtweets.hub", "hubtweets.hub.storage.pull_requests"},
    "hubtweets.hub.pages.sanitize": set(),
    "hubtweets.hub.pages.samples": STORED,
    "hubtweets.models.limits": {"hubtweets.models.inspection"},
    "hubtweets.hub.generation.generate": {
        f"hubtweets.{name}" for name in ("base.contents", "errors", "hub.model_limits", "models", "posts", "samples", "sampling")
    },
    "hubtweets.hub.generation.worker": {f"hubtweets.{name}" for name in ("errors", "hub", "hub.generation", "hub.model_limits", "models")},
    "hubtweets.hub.generation.workers": set(),
    "hubtweets.hub.pages.widget": ASKED | {"hubtweets.hub.generation.workers"},
    "hubtweets.hub.pages.pages": ASKED | {"hubtweets.hub", "hubtweets.text"} | SHOWN,
    "hubtweets.hub.server": STORED | {"hubtweets.hub", "hubtweets.hub.middleware", "hubtweets.hub.generation.workers", *ENDPOINTS},
    "hubtweets.hub.local": STORED
    | {"hubtweets.errors", "hubtweets.hub", "hubtweets.hub.storage.integrity", "hubtweets.hub.connections", "hubtweets.hub.server"},
    "hubtweets.hub.cli": {"hubtweets.hub", "hubtweets.hub.local", "hubtweets.hub.storage.tokens"},
    "hubtweets.stages": set(MODULES) - {"hubtweets.cli", "hubtweets.stages", "hubtweets.release"},
    "hubtweets.release": set(MODULES) - {"hubtweets.cli", "hubtweets.release", "hubtweets.stages"},
    "hubtweets.cli": set(MODULES) - {"hubtweets.cli", "hubtweets.__main__"},
}


def imports(module: str) -> set[str]:
    """Return every module of the package that a module imports, at its top or inside a function."""
    path = ROOT / module.replace(".", "/")
    tree = ast.parse((path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text())
    found = set()
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" if f"{node.module}.{alias.name}" in MODULES else node.module for alias in node.names]
        found |= {name for name in names if name.startswith("hubtweets")}
    return found


@pytest.mark.parametrize("module", MODULES)
def test_arrows_go_one_way(module: str) -> None:
    assert imports(module) <= ALLOWED[module]


def test_no_module_holds_two_ideas() -> None:
    lengths = {path.relative_to(PACKAGE).as_posix(): len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {name: length for name, length in lengths.items() if length > 300} == {}
