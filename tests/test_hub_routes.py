"""docs/hub-routes.md lists what the embedded Hub answers, and what it leaves out says so."""

import re
from pathlib import Path

import httpx2
import pytest

from hubtweets.hub.pages import pages
from hubtweets.hub.server import LEFT_OUT, list_routes

DOCS = Path(__file__).parent.parent / "docs" / "hub-routes.md"


def test_the_documentation_lists_every_route() -> None:
    listed = re.findall(r"^\| ([A-Z, ]+) \| `(.+)` \| .", DOCS.read_text("utf-8"), re.MULTILINE)
    expected = [
        (", ".join(sorted(route.methods - {"HEAD"})), re.sub(r":\w+\}", "}", route.path))
        for route in list_routes()
        if route not in pages.routes and route.methods
    ]
    assert listed == expected


@pytest.mark.parametrize(("start", "name"), LEFT_OUT.items(), ids=LEFT_OUT)
def test_what_is_left_out_says_so(hub: tuple[str, str], start: str, name: str) -> None:
    answer = httpx2.get(f"{hub[0]}/api/{start}/huggingtweets/bot")
    assert answer.status_code == 501
    assert answer.json() == {"error": f"the embedded Hub has no {name}"}
    assert httpx2.get(f"{hub[0]}/api/users/huggingtweets/else").status_code == 404
