import os
import re
import shutil
import subprocess
from pathlib import Path

import httpx2
import pytest
from PIL import Image

from hubtweets import card
from hubtweets.hub import local, pages
from hubtweets.hub.storage import Storage
from tests.hostile import HOSTILE
from tests.records import named

CLEANED = [
    ("<script>alert(1)</script>hello", "hello"),
    ("<img src=x onerror=alert(1)>", '<img src="x">'),
    ('<a href="javascript:alert(1)">x</a>', '<p><a rel="noopener noreferrer">x</a></p>\n'),
    ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
    ('<div style="position:fixed;color:red;background:url(https://x/y)">a</div>', '<div style="color:red">a</div>'),
    ("<iframe src=https://x></iframe><form action=/x><input></form>", ""),
    ("---\na: b\n---\n# Title\n", "<h1>Title</h1>\n"),
    ("| a | b |\n|---|---|\n| 1 | 2 |", "<td>2</td>"),
]


@pytest.mark.parametrize(("text", "expected"), CLEANED)
def test_a_card_is_shown_without_what_could_run(text: str, expected: str) -> None:
    assert expected in pages.render_card(text, "huggingtweets/lyons____")
    assert not re.search(r"<(script|iframe|form|input)|onerror=|href=\"javascript", pages.render_card(text, "huggingtweets/lyons____"))


def test_pages_forbid_scripts_and_foreign_pictures(hub: tuple[str, str]) -> None:
    for path, status in (("/", 200), ("/huggingtweets/nope", 404)):
        answer = httpx2.get(hub[0] + path)
        assert answer.status_code == status
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; img-src 'self';")
    assert "Nothing here yet" in httpx2.get(hub[0]).text
    assert "No model huggingtweets/&lt;b&gt;" in httpx2.get(hub[0] + "/huggingtweets/%3Cb%3E").text


def browse(url: str, folder: Path, *more: str) -> str:
    """Open a page in Chromium and return its DOM after it was laid out."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        if os.environ.get("CI"):
            pytest.fail("CI looks at pages with a real browser; install chromium")
        pytest.skip("no Chromium on this machine")
    quiet = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command = [browser, "--headless", "--no-sandbox", *quiet, f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=5000", *more, url]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def test_a_published_bot_has_a_page_that_a_browser_shows(published: Path, tmp_path: Path) -> None:
    storage = Storage(published / "hub")
    with local.running(storage) as endpoint:
        page = httpx2.get(f"{endpoint}/huggingtweets/lyons____").text
        assert '<a href="/huggingtweets/lyons____">' in httpx2.get(endpoint).text
        for row in ("Tweets downloaded</td>\n<td>3086", "Retweets</td>\n<td>1225", "Short tweets</td>\n<td>997", "Tweets kept</td>\n<td>864"):
            assert row in page
        picture = tmp_path / "page.png"
        browse(f"{endpoint}/huggingtweets/lyons____", tmp_path, "--window-size=400,1200", f"--screenshot={picture}")
    with Image.open(picture) as opened:
        colors = {color for _, color in opened.convert("RGB").getcolors(10**6) or []}
    assert {(255, 255, 255), (22, 32, 46)} <= colors  # ground and ink


def test_a_browser_runs_nothing_of_a_hostile_card(hub: tuple[str, str], tmp_path: Path) -> None:
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi(endpoint=hub[0], token=hub[1])
    api.create_repo("huggingtweets/evil")
    text = (
        card.render(named(" ".join(HOSTILE[:11]))) + "\n<script>document.title = 'pwned'</script><img src=x onerror=\"document.title = 'pwned'\">\n"
    )
    api.create_commit("huggingtweets/evil", [CommitOperationAdd("README.md", text.encode())], commit_message="x")
    dom = browse(f"{hub[0]}/huggingtweets/evil", tmp_path, "--dump-dom")
    assert "<title>huggingtweets/evil</title>" in dom
    assert "&lt;/div&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in dom
