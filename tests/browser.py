"""A real browser for the tests: the machine's Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
# resolves no name but 127.0.0.1, so that requests to other hosts fail at once
NO_HOSTS = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


@contextmanager
def start_chromium() -> Iterator[Browser]:
    """Yield a browser; if the machine has none, skip the test, or fail it in CI."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("CI looks at pages with a real browser; install chromium")
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", NO_HOSTS])
        yield browser
        browser.close()


class PageLog:
    """What happened in the pages of a context.

    `requests` has the URLs, `faults` the dialogs, errors and violations of the page's policy.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.requests: list[str] = []
        self.faults: list[str] = []
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("dialog", self.dismiss)
        context.on(
            "console",
            lambda message: self.faults.append(message.text) if message.type == "error" else None,
        )
        context.on("weberror", lambda error: self.faults.append(str(error.error)))

    def dismiss(self, dialog: Dialog) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()


def get_page_width(page: Page) -> int:
    """Return the width of a page's layout in pixels."""
    return page.evaluate("document.documentElement.scrollWidth")
