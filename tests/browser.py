"""A real browser for the tests: the machine's own Chromium, driven by Playwright, and what a page did in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, sync_playwright

NOWHERE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"  # no name leads anywhere, which it says at once


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give a browser; skip where the machine has none, which in CI is a failure."""
    path = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("CI looks at pages with a real browser; install chromium")
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", NOWHERE])
        yield browser
        browser.close()


class Seen:
    """What happened in the pages of a context: `requests` are their addresses, `faults` dialogs, errors, and what the policy forbade."""

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


def width(page: Page) -> int:
    """Return how wide a page is laid out, in pixels."""
    return page.evaluate("document.documentElement.scrollWidth")
