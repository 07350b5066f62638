"""A real browser on a real server, for the tests of the page; they are skipped where there is no browser."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from servers import PASSWORD, Served

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def browsing() -> Iterator[Any]:
    """Chromium, without a window: the one named by CASTALIA_BROWSER, else the system's."""
    api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    found = os.environ.get("CASTALIA_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium here: apt-get install chromium, or name one in CASTALIA_BROWSER")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(browser: Any, served: Served, place: str = "", **context: Any) -> Any:
    """A page in a profile of its own; what its scripts complain of fails the test that asks `complaints`."""
    page = browser.new_context(**{"locale": "en-GB", "viewport": {"width": 1280, "height": 900}, **context}).new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda said: page.complaints.append(said.text) if "Content Security" in said.text else None)
    page.set_default_timeout(60_000)
    page.goto(f"{served.url}/{place}")
    return page


def sign_up(page: Any, name: str) -> str:
    """Make an account on the page; returns the recovery code."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    code = page.get_by_label("Recovery code").input_value()
    page.get_by_label("I have put it in a safe place").check()
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("heading", name="What would you like to make?").wait_for()
    return code


def log_in(page: Any, name: str, password: str = PASSWORD) -> None:
    """Likewise, with an account that is there."""
    page.locator("input[autocomplete=username]").fill(name)
    page.locator("input[type=password]").fill(password)
    page.locator("form button.main").click()
    page.locator("nav.rooms").wait_for()


def go(page: Any, place: str) -> None:
    """Enter a room and wait until what it asks for has come."""
    page.evaluate("place => { location.hash = place }", place)
    page.wait_for_timeout(100)
    page.locator("main h1").first.wait_for()
    page.locator("main .spinner").first.wait_for(state="detached")


def amount(found: Any, n: int) -> None:
    """Wait until there are exactly so many of them."""
    if n:
        found.nth(n - 1).wait_for()
    found.nth(n).wait_for(state="detached")


def until(page: Any, told: str) -> None:
    """Wait until an expression of the page holds; Playwright's own way to is against the page's security policy."""
    deadline = time.monotonic() + 60
    while not page.evaluate(told):
        assert time.monotonic() < deadline, told
        page.wait_for_timeout(100)
