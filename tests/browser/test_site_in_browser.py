"""The documentation's site in a browser: its search works from loopback, pages open from the disk, and no other host is asked."""

from __future__ import annotations

import functools
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import WITHIN
from tests.docs.building import built


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Nothing: the test is not interested."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory)


@pytest.fixture
def url(site: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def watched(browser: Browser, home: str) -> tuple[Page, list[str]]:
    """A page, and its errors and its requests to elsewhere."""
    page, complaints = browser.new_page(), list[str]()
    page.set_default_timeout(WITHIN)
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(home) else complaints.append(asked.url))
    return page, complaints


def test_the_search_finds_a_word_and_asks_no_other_host(browser: Browser, url: str) -> None:
    page, complaints = watched(browser, url)
    page.goto(f"{url}/docs/tutorial.html")
    page.get_by_role("button", name="Search").first.click()
    page.keyboard.type("withoutQueue")
    page.get_by_text(re.compile(r"^\d+ results$")).wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**/docs/spec.html*")

    assert complaints == []
    page.close()


def test_a_page_opens_from_the_disk(browser: Browser, site: Path) -> None:
    page, complaints = watched(browser, "file://")
    page.goto((site / "index.html").as_uri())
    page.get_by_role("link", name="tutorial", exact=True).first.click()
    page.wait_for_url("**/docs/tutorial.html")
    page.get_by_role("heading", name="7. A policy refuses").wait_for()

    assert [one for one in complaints if "://" in one and not one.startswith("file:")] == []
    page.close()
