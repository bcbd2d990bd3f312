"""`play` as people use it: a page, a panel, a button; each cause is repaired, and Ctrl-C leaves nothing."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from reconciler.demo.drift import CAUSES, PROJECT
from reconciler.demo.scenario import POOL, PRIME, RELEASE, TAILSPIN
from tests.cli.process import PIPES, Desk
from tests.demo.test_demo import emulators
from tests.deployment import until
from tests.forking import Process

SECONDS = 300.0
"""Until a repair has to be seen; the resync of `play` comes every minute."""


@dataclass
class Playing:
    """A running `play`."""

    process: Process
    page: str
    panel: str

    def ask(self, method: str, url: str, **headers: str) -> tuple[int, str]:
        where = urlsplit(url)
        connection = HTTPConnection(where.netloc, timeout=30)
        try:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, where.path or "/", headers=given)
            got = connection.getresponse()
            return got.status, got.read().decode()
        finally:
            connection.close()

    def cause(self, key: str, **headers: str) -> int:
        return self.ask("POST", f"{self.panel}/cause/{key}", **headers)[0]

    def pool(self, name: str) -> str:
        """What the page of a pool says."""
        html = self.ask("GET", f"{self.page}/pools/{name}", Accept="text/html")[1]
        return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.fixture(scope="module")
def playing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playing]:
    folder = tmp_path_factory.mktemp("play")
    desk = Desk(folder, {"TMPDIR": str(folder)})
    process = desk.start("play", "--no-color", options={**PIPES, "stderr": subprocess.STDOUT})
    try:
        urls = list(_urls(process))
        yield Playing(process, *urls)
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=500)
    assert process.returncode == 0, rest
    assert list(folder.iterdir()) == []
    assert emulators(folder) == []


def _urls(process: Process) -> Iterator[str]:
    """The two addresses, as it prints them."""
    assert process.stdout is not None
    read = []
    for line in process.stdout:
        read.append(line)
        if found := re.search(r"(?:Status page|Cause drift) +(http://127\.0\.0\.1:\d+)/", line):
            yield found[1]
        if "Ctrl-C ends it" in line:
            return
    raise AssertionError("".join(read))


def in_sync(playing: Playing, pool: str) -> bool:
    return "Ready True" in playing.pool(pool)


def test_it_repairs_what_each_button_broke_and_shows_it(playing: Playing) -> None:
    until(lambda: in_sync(playing, POOL) and in_sync(playing, RELEASE), SECONDS)
    before = playing.pool(POOL).count("open access: ")

    assert [playing.cause(key) for key in ("close-queue", "add-project", "remove-administrator", "edit-pool")] == [
        303
    ] * 4
    until(lambda: f"open access: {TAILSPIN}/Project-1" in playing.pool(POOL), SECONDS)
    until(lambda: playing.pool(POOL).count(f"open access: {PRIME}/{PROJECT}") > 0, SECONDS)
    until(lambda: playing.pool(POOL).count(f"roles: {TAILSPIN} ann@fabrikam.com") == 2, SECONDS)
    until(lambda: "maximumConcurrency before 2 after 1 " in playing.pool(RELEASE), SECONDS)
    until(lambda: in_sync(playing, POOL) and in_sync(playing, RELEASE), SECONDS)
    assert playing.pool(POOL).count("open access: ") > before
    listed = playing.ask("GET", playing.panel)[1]
    assert f"Dan closed the queue of {POOL}" in listed
    assert "Project-1 was created" in listed


def test_without_the_audit_feed_a_resync_repairs_it_all_the_same(playing: Playing) -> None:
    until(lambda: in_sync(playing, POOL), SECONDS)
    before = playing.pool(POOL).count(f"open access: {PRIME}/{PROJECT}")

    assert [playing.cause(key) for key in ("audit", "close-queue")] == [303] * 2
    assert "auditing is switched off" in playing.ask("GET", playing.panel)[1]
    until(lambda: playing.pool(POOL).count(f"open access: {PRIME}/{PROJECT}") > before, SECONDS)
    assert playing.cause("audit") == 303
    assert "auditing is switched on again" in playing.ask("GET", playing.panel)[1]


def test_the_panel_has_a_button_for_each_cause_and_no_other(playing: Playing) -> None:
    html = playing.ask("GET", playing.panel)[1]

    assert re.findall(r'action="/cause/([\w-]+)"', html) == [cause.key for cause in CAUSES]
    assert playing.cause("other") == 404
    assert playing.ask("GET", f"{playing.panel}/cause/audit")[0] == 404


@pytest.mark.parametrize("headers", [
    {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}, {"Origin": "http://evil.example"}, {"Origin": "null"},
    {"Host": "evil.example"}, {"Host": "evil.example:80", "Sec_Fetch_Site": "same-origin"},
])  # fmt: skip
def test_a_page_of_another_site_causes_nothing(playing: Playing, headers: dict[str, str]) -> None:
    before = playing.ask("GET", playing.panel)[1]

    assert playing.cause("audit", **headers) == 403
    assert playing.ask("GET", playing.panel)[1] == before


def test_the_status_page_knows_nothing_of_the_panel() -> None:
    """It belongs to the demo; the product's page has no button that breaks anything."""
    pages = Path(__file__).parents[2] / "reconciler/service/page"
    sources = "".join(
        path.read_text(encoding="utf-8") for path in pages.rglob("*") if path.suffix in (".py", ".html", ".css")
    )

    assert not re.search(r"\bdemo\b|panel|emulat", sources)


def test_an_organization_that_throttles_is_shown_as_paused(playing: Playing) -> None:
    """The last of these tests: how long it stays so follows from what the operator learns of the budget."""
    assert playing.cause("throttle") == 303
    assert playing.ask("POST", f"{playing.page}/api/reconcile")[0] == 202

    until(lambda: "paused until" in playing.ask("GET", f"{playing.page}/")[1], SECONDS)
