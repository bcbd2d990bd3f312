"""A headless Chromium with its libraries and font, as `make test` unpacks it, and axe-core."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.tiers import TOOLS, require

FOLDER = TOOLS / "browser"
PROGRAM = FOLDER / "chromium/chromium"
AXE = FOLDER / "node_modules/axe-core/axe.min.js"
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-quic",
)  # fmt: skip
WITHIN = 300_000.0
"""Milliseconds that a test waits for what it expects; the machine may be busy."""


@contextmanager
def started(home: Path) -> Iterator[Browser]:
    """The browser, with nothing of this machine but the C library."""
    require(PROGRAM, "Chromium")
    unpacked = PROGRAM.parent
    environment: dict[str, str | float | bool] = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": str(home),
        "LD_LIBRARY_PATH": str(unpacked / "lib"),
        "FONTCONFIG_FILE": str(unpacked / "fonts.conf"),
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=list(ARGUMENTS), env=environment)
        try:
            yield browser
        finally:
            browser.close()


def violations(page: Page) -> list[str]:
    """What axe-core finds: rule, and the elements."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [f"{one['id']}: {[node['html'][:120] for node in one['nodes']]}" for one in found["violations"]]
