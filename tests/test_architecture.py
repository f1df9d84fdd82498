"""Which folder may import which (those below it, never one above), and how long things may be."""

import ast
from pathlib import Path
from statistics import quantiles

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "hubtweets"
FLOORS = (  # from the top
    "cli notebook",
    "stages",
    "verification",
    "publishing",
    "hub",
    "evaluation",
    "training",
    "card",
    "models",
    "curation",
    "record",
    "posts",
    "config files text errors progress",  # the ground
)
MAX_FILE_LINES = 330
MAX_FUNCTION_LINES, MAX_P90_FUNCTION_LINES = 60, 25
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names.split()}
# the Hub is a server, which these alone start
HUB_USERS = {"hub", "hubtweets.cli.hub", "hubtweets.publishing.connection"}


def find_imports(path: Path) -> set[str]:
    """Return every module of the package that a file imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.startswith("hubtweets.")}


def name_folder(module: str) -> str:
    return module.split(".")[1]


FILES = {
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."): path
    for path in PACKAGE.rglob("*.py")
}
FILES = {
    name.removesuffix(".__init__"): path
    for name, path in FILES.items()
    if name.count(".") > 1 or name.split(".")[1] in FLOOR
}


def test_every_folder_has_its_floor() -> None:
    names = {
        path.stem
        for path in PACKAGE.iterdir()
        if path.name not in ("__pycache__", "__init__.py", "__main__.py", "py.typed")
    }
    assert names == FLOOR.keys()


@pytest.mark.parametrize("module", sorted(FILES))
def test_no_arrow_goes_up(module: str) -> None:
    own = FLOOR[name_folder(module)]
    for imported in find_imports(FILES[module]):
        target = name_folder(imported)
        if target in FLOOR:  # else it is of the package itself: __version__
            assert (
                FLOOR[target] > own
                or target == name_folder(module)
                or target in FLOORS[own].split()
            ), f"{module} imports {imported}"


def test_only_who_starts_the_hub_imports_it() -> None:
    users = {
        module
        for module, path in FILES.items()
        if any(name_folder(name) == "hub" for name in find_imports(path))
    }
    assert {"hub" if name_folder(module) == "hub" else module for module in users} == HUB_USERS


def test_no_module_imports_itself_by_way_of_others() -> None:
    imports = {
        module: {find_module(name) for name in find_imports(path)} - {module}
        for module, path in FILES.items()
    }
    while leaves := {module for module, names in imports.items() if not names & imports.keys()}:
        for module in leaves:
            del imports[module]
    assert imports == {}


def find_module(name: str) -> str:
    """Return the module of an imported name, which may be one itself."""
    return name if name in FILES else name.rpartition(".")[0]


def test_no_file_holds_two_ideas() -> None:
    lengths = {
        path.relative_to(PACKAGE).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in PACKAGE.rglob("*.py")
    }
    assert {name: length for name, length in lengths.items() if length > MAX_FILE_LINES} == {}


def test_functions_fit_a_glance() -> None:
    lengths: dict[str, int] = {}
    for module, path in FILES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lengths[f"{module}.{node.name}:{node.lineno}"] = count_lines(node)
    assert {name: length for name, length in lengths.items() if length > MAX_FUNCTION_LINES} == {}
    assert quantiles(lengths.values(), n=10)[-1] <= MAX_P90_FUNCTION_LINES


def count_lines(node: ast.stmt) -> int:
    return (node.end_lineno or 0) - node.lineno + 1
