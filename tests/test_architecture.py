"""The arrows between the modules, and what each may load."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "hubtweets"
MODULES = sorted(path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__") for path in PACKAGE.rglob("*.py"))
PLAIN = {"hubtweets", "hubtweets.errors", "hubtweets.atomic"}
POSTS = PLAIN | {"hubtweets.posts"}
READER = POSTS | {f"hubtweets.posts.{name}" for name in ("container", "json_stream")}
SERVICE = POSTS | {"hubtweets.posts.web"}
X = {"hubtweets.posts.x_tweet"}
RECORD = POSTS | {f"hubtweets.{name}" for name in ("funnel", "samples", "record")}
TORCH = RECORD | {"hubtweets.packing", "hubtweets.models"}
HUB = {"hubtweets.hub.errors", "hubtweets.hub.blobs"}
STORED = HUB | {"hubtweets.hub.storage"}
ASKED = STORED | {"hubtweets.hub.requests"}
ENDPOINTS = {f"hubtweets.hub.{name}" for name in ("accounts", "cards", "commits", "discussions", "pages", "reading", "uploads")}
SHOWN = {f"hubtweets.hub.{name}" for name in ("cards", "discussions", "html", "pulls", "samples", "widget")}
VERIFYING = [
    "hubtweets.verification",
    *(
        f"hubtweets.verification.{name}"
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
    "hubtweets.atomic": set(),
    "hubtweets.rendering": set(),
    "hubtweets.__main__": {"hubtweets.cli"},
    "hubtweets.options": RECORD,
    "hubtweets.grammar": set(),
    "hubtweets.example": PLAIN | {"hubtweets.grammar"},
    "hubtweets.posts": set(),
    "hubtweets.posts.origins": POSTS,
    "hubtweets.posts.container": POSTS,
    "hubtweets.posts.json_stream": set(),
    "hubtweets.posts.web": POSTS,
    "hubtweets.posts.saved": POSTS | {"hubtweets.personal"},
    "hubtweets.posts.x_tweet": POSTS,
    "hubtweets.posts.x_v2": POSTS | X,
    "hubtweets.posts.x_archive": READER | X,
    "hubtweets.posts.grailbird": READER | X | {"hubtweets.posts.files"},
    "hubtweets.posts.x_json": READER | X | {"hubtweets.posts.x_v2"},
    "hubtweets.posts.x_api": SERVICE | {"hubtweets.posts.x_v2"},
    "hubtweets.posts.mastodon": READER,
    "hubtweets.posts.mastodon_api": SERVICE | {"hubtweets.posts.mastodon"},
    "hubtweets.posts.misskey": READER | {"hubtweets.posts.exports"},
    "hubtweets.posts.bluesky": READER,
    "hubtweets.posts.bluesky_api": SERVICE | {"hubtweets.posts.bluesky"},
    "hubtweets.posts.audience": POSTS | {"hubtweets.personal"},
    "hubtweets.posts.table": READER | X | {"hubtweets.personal", "hubtweets.posts.audience"},
    "hubtweets.posts.arrow": READER | {"hubtweets.posts.table"},
    "hubtweets.posts.files": READER | {f"hubtweets.posts.{name}" for name in ("arrow", "audience", "table")},
    "hubtweets.posts.exports": READER | {"hubtweets.posts.files"},
    "hubtweets.posts.sources": {module for module in MODULES if module.startswith("hubtweets.posts")} | PLAIN,
    "hubtweets.duplicates": set(),
    "hubtweets.secret_forms": set(),
    "hubtweets.identifiers": set(),
    "hubtweets.phones": set(),
    "hubtweets.personal": POSTS | {"hubtweets.secret_forms", "hubtweets.identifiers", "hubtweets.phones"},
    "hubtweets.language": set(),
    "hubtweets.funnel": set(),
    "hubtweets.samples": set(),
    "hubtweets.record": RECORD,
    "hubtweets.record_json": RECORD,
    "hubtweets.curation": RECORD | {f"hubtweets.{name}" for name in ("duplicates", "personal", "rendering")},
    "hubtweets.dataset": RECORD,
    "hubtweets.packing": PLAIN,
    "hubtweets.models": RECORD | {"hubtweets.base.contents"},
    "hubtweets.hardware": set(),
    "hubtweets.processes": PLAIN | {"hubtweets.hardware"},
    "hubtweets.bar": set(),
    "hubtweets.checkpoints": RECORD | {"hubtweets.processes"},
    "hubtweets.tracking": RECORD,
    "hubtweets.trainer": TORCH | {f"hubtweets.{name}" for name in ("bar", "checkpoints", "hardware")},
    "hubtweets.evaluation": TORCH,
    "hubtweets.sampling": TORCH,
    "hubtweets.base": RECORD | {"hubtweets.rendering"},
    "hubtweets.base.contents": RECORD,
    "hubtweets.base.build": TORCH | {"hubtweets.trainer", "hubtweets.evaluation", "hubtweets.rendering"},
    "hubtweets.front_matter": RECORD | {"hubtweets.hub.metadata", "hubtweets.rendering"},
    "hubtweets.card": RECORD | {f"hubtweets.{name}" for name in ("copies", "front_matter", "posts.origins", "rendering")},
    "hubtweets.pictures": RECORD | {"hubtweets.rendering"},
    "hubtweets.copies": RECORD,
    "hubtweets.group": PLAIN | {"hubtweets.options"},
    "hubtweets.settings": RECORD | {"hubtweets.posts.sources", "hubtweets.rendering", "hubtweets.run"},
    "hubtweets.leaks": {"hubtweets.personal", "hubtweets.secret_forms"},
    "hubtweets.permission": set(),
    "hubtweets.requirements": set(),
    "hubtweets.room": PLAIN,
    "hubtweets.rehearsal": RECORD
    | {f"hubtweets.{name}" for name in ("card", "curation", "front_matter", "plan", "preflight", "publisher", "record_json", "rendering", "run")},
    "hubtweets.terms": RECORD | {"hubtweets.hub.metadata", "hubtweets.posts.origins"},
    "hubtweets.publisher": RECORD | {f"hubtweets.{name}" for name in ("hub", "hub.local", "merging", "patience", "plan")},
    "hubtweets.blocks": {f"hubtweets.{name}" for name in ("front_matter", "hub.cards", "hub.errors")},
    "hubtweets.merging": {f"hubtweets.{name}" for name in ("blocks", "errors", "hub.cards", "hub.errors")},
    "hubtweets.patience": set(),
    "hubtweets.plan": RECORD | {"hubtweets.merging"},
    "hubtweets.snippets": PLAIN,
    "hubtweets.preflight": set(MODULES) - {"hubtweets.cli", "hubtweets.stages", "hubtweets.release", "hubtweets.preflight", "hubtweets.trainer"},
    **dict.fromkeys(VERIFYING, set(MODULES) - {"hubtweets.cli", "hubtweets.stages", "hubtweets.release", "hubtweets.preflight", "hubtweets.trainer"}),
    "hubtweets.takedown": RECORD | {"hubtweets.plan", "hubtweets.publisher", "hubtweets.record_json"},
    "hubtweets.run": RECORD | {"hubtweets.processes", "hubtweets.record_json"},
    "hubtweets.hub": set(),
    "hubtweets.hub.errors": set(),
    "hubtweets.hub.blobs": {"hubtweets.hub.errors"},
    "hubtweets.hub.tokens": {"hubtweets.hub.blobs"},
    "hubtweets.hub.storage": HUB | {"hubtweets.hub.tokens"},
    "hubtweets.hub.xet": STORED,
    "hubtweets.hub.pulls": STORED,
    "hubtweets.hub.audit": STORED | {"hubtweets.hub.pulls"},
    "hubtweets.hub.guard": {"hubtweets.hub.errors"},
    "hubtweets.hub.connections": set(),
    "hubtweets.hub.requests": STORED | {"hubtweets.hub.tokens"},
    "hubtweets.hub.metadata": set(),
    "hubtweets.hub.cards": ASKED | {"hubtweets.hub.metadata"},
    "hubtweets.hub.accounts": ASKED,
    "hubtweets.hub.reading": ASKED | {"hubtweets.hub.cards", "hubtweets.hub.pulls"},
    "hubtweets.hub.commits": ASKED | {"hubtweets.hub", "hubtweets.hub.pulls"},
    "hubtweets.hub.gitignore": {"hubtweets.hub.errors"},
    "hubtweets.hub.uploads": ASKED | {"hubtweets.hub", "hubtweets.hub.commits", "hubtweets.hub.gitignore", "hubtweets.hub.xet"},
    "hubtweets.hub.discussions": ASKED | {"hubtweets.hub", "hubtweets.hub.pulls"},
    "hubtweets.hub.html": set(),
    "hubtweets.hub.samples": STORED,
    "hubtweets.hub.model_limits": {"hubtweets.base.contents"},
    "hubtweets.hub.generation": {
        f"hubtweets.{name}" for name in ("base.contents", "errors", "hub.model_limits", "models", "posts", "samples", "sampling")
    },
    "hubtweets.hub.worker": {f"hubtweets.{name}" for name in ("errors", "hub", "hub.generation", "hub.model_limits", "models")},
    "hubtweets.hub.workers": set(),
    "hubtweets.hub.widget": ASKED | {"hubtweets.hub.workers"},
    "hubtweets.hub.pages": ASKED | {"hubtweets.hub", "hubtweets.rendering"} | SHOWN,
    "hubtweets.hub.server": STORED | {"hubtweets.hub", "hubtweets.hub.guard", "hubtweets.hub.workers", *ENDPOINTS},
    "hubtweets.hub.local": STORED | {"hubtweets.errors", "hubtweets.hub", "hubtweets.hub.audit", "hubtweets.hub.connections", "hubtweets.hub.server"},
    "hubtweets.hub.cli": {"hubtweets.hub", "hubtweets.hub.local", "hubtweets.hub.tokens"},
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
