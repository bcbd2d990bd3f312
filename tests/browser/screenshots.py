"""Takes the screenshots of docs/status-page.md, of `play` after some drift: python -m tests.browser.screenshots FOLDER."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from playwright.sync_api import expect

from reconciler.demo.scenario import POOL, RELEASE
from tests.browser.chromium import WITHIN, started

expect.set_options(timeout=WITHIN)


def main(folder: Path) -> None:
    """Two files: the overview, and a pool with its plan."""
    command = [sys.executable, "-m", "reconciler", "play", "--no-color"]
    with tempfile.TemporaryDirectory() as home, started(Path(home)) as browser:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            urls: list[str] = []
            while len(urls) < 2 and process.stdout is not None:
                urls += re.findall(r"(?:Status page|Cause drift) +(http://\S+)/", process.stdout.readline())
            site, panel = urls
            page = browser.new_page(viewport={"width": 1100, "height": 1180})
            page.goto(f"{site}/pools/{RELEASE}")
            expect(page.locator("#live")).to_contain_text("in sync")
            page.goto(f"{site}/pools/{POOL}")
            expect(page.locator("#live")).to_contain_text("in sync")
            for key in ("close-queue", "add-project", "remove-administrator"):
                cause(panel, key)
            page.get_by_role("button", name="Plan now").click()
            expect(page.locator("#result")).to_contain_text("Plan of")
            page.screenshot(path=folder / "status-page-pool.png")
            cause(panel, "edit-pool")
            page.set_viewport_size({"width": 1100, "height": 860})
            page.goto(f"{site}/?live=off")
            while page.locator(f"tr[data-pool={RELEASE}] .in-sync").count():
                page.reload()
            page.screenshot(path=folder / "status-page-overview.png")
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def cause(panel: str, key: str) -> None:
    """Press a button of the panel."""
    request = urllib.request.Request(f"{panel}/cause/{key}", method="POST")  # noqa: S310 - loopback
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 - loopback


if __name__ == "__main__":
    main(Path(sys.argv[1]))
