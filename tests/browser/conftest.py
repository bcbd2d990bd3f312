from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from reconciler.config.settings import Settings
from reconciler.config.triggers import Hosting, state
from reconciler.service.host.host import ServeOptions
from reconciler.service.host.keys import FunctionKey
from reconciler.service.host.run import host
from reconciler.service.triggers import TriggerContext, composition
from tests.browser.chromium import WITHIN, started
from tests.deployment import Deployment, deployed, enforce
from tests.service.host.serving import serving


@dataclass
class Open:
    """A deployment that is served, and what its pages did in the browser."""

    deployment: Deployment
    context: TriggerContext
    url: str
    complaints: list[str] = field(default_factory=list)
    """Errors, dialogs, and requests to elsewhere."""

    def watch(self, page: Page) -> Page:
        """A page of which every complaint is kept."""
        page.set_default_timeout(WITHIN)
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", self._dialog)
        page.on("request", lambda asked: None if asked.url.startswith(self.url) else self.complaints.append(asked.url))
        return page

    def _dialog(self, dialog: Any) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def settle(self) -> None:
        """Read both pools, so that there is something to show."""
        self.context.outbox.request(tuple(self.context.catalogue.specs().by_key.values()), "http")


@contextmanager
def opened(folder: Path, key: str = "") -> Iterator[Open]:
    """The function app of a deployment, served as `serve` does it."""
    with deployed(folder) as deployment:
        hosting = Hosting.read(deployment.environment)
        built = composition.build(Settings.read(deployment.environment, beneath=state(deployment.environment)), hosting)
        context = replace(built, options=replace(built.options, serves=True))
        composition.use(context)
        enforce(context)
        options = ServeOptions(port=0, timers=False, retry=0.1, grace=30.0, key=FunctionKey.of(key))
        with serving(host(hosting, context.queues, options)) as running:
            yield Open(deployment, context, running.url)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with started(tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Open]:
    with opened(tmp_path) as made:
        yield made
        assert made.complaints == []


@pytest.fixture
def page(browser: Browser, site: Open) -> Iterator[Page]:
    with browser.new_context() as context:
        yield site.watch(context.new_page())
