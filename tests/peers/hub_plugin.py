"""A pytest plugin for another project's suite: tells the Hub which test runs."""

import os
from urllib.parse import quote
from urllib.request import urlopen

HUB = os.environ["HF_ENDPOINT"]


def pytest_runtest_logstart(nodeid: str) -> None:
    with urlopen(f"{HUB}/-/{quote(nodeid, safe='')}"):
        pass
