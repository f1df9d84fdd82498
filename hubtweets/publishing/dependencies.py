"""Whether the installed packages are those that this version was made for."""

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

PACKAGE = "hubtweets"


def problems() -> Iterator[str]:
    """Yield every package that is missing or of another version than is required, each with what installs it; and Python itself."""
    python, wanted = platform.python_version(), metadata(PACKAGE)["Requires-Python"] or ""
    if not SpecifierSet(wanted).contains(python, prereleases=True):
        yield f"Python {python}: {PACKAGE} needs {wanted}; install that Python, and {PACKAGE} with it"
    for text in requires(PACKAGE) or []:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            yield f"{requirement.name} is not installed; type: pip install '{requirement.name}{requirement.specifier}'"
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            yield f"{requirement.name} {found}: {requirement.specifier} is needed; type: pip install '{requirement.name}{requirement.specifier}'"
