"""The status page in a browser: real clicks and keys, and what a screen reader, a phone and a strict policy make of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from reconciler.adapters.clock import SystemClock
from reconciler.demo.drift import CAUSES, Drift
from reconciler.demo.panel import Panel
from reconciler.engine.status import Finding, PoolStatus, Truth
from reconciler.engine.stored import Awaited
from reconciler.survey.names import RememberedNames
from tests.browser.chromium import WITHIN, violations
from tests.browser.conftest import Open, opened
from tests.deployment import CANARY, until
from tests.service.page.test_hostile import HOSTILE

expect.set_options(timeout=WITHIN)
POOL = "/pools/build-pool"
PLACES = ("/", POOL, f"{POOL}?organization=fabrikam-prime", f"{POOL}?organization=fabrikam-prime&project=Web", "/organizations/fabrikam-prime", "/?q=none", "/pools/none")  # fmt: skip


def test_from_the_overview_to_a_project_and_back_by_clicks(site: Open, page: Page) -> None:
    site.deployment.close_access("build-pool", "Web")
    site.settle()
    until(lambda: site.deployment.is_open("build-pool", "Web"))
    page.goto(site.url)
    page.get_by_role("link", name="build-pool").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pool build-pool")
    expect(page.locator("#live")).to_contain_text("in sync")
    page.get_by_role("link", name="fabrikam-prime").click()
    page.get_by_label("Another project").fill("Api")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Project Api")
    page.get_by_role("link", name="fabrikam-prime").click()
    page.get_by_role("link", name="Web", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Project Web")
    expect(page.get_by_role("region").or_(page.locator("section"))).not_to_have_count(0)
    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="Overview").click()
    expect(page.locator("tr[data-pool]")).to_have_count(2)


def test_reconcile_now_repairs_what_was_clicked_and_the_open_page_shows_it(site: Open, page: Page) -> None:
    site.deployment.close_access("build-pool", "Web")
    page.goto(f"{site.url}{POOL}")
    expect(page.locator("#live")).to_contain_text("not read yet")
    page.get_by_role("button", name="Reconcile now").click()
    expect(page.locator("#result")).to_contain_text("was requested")
    until(lambda: site.deployment.is_open("build-pool", "Web"))
    expect(page.locator("#live")).to_contain_text("1 planned, 1 written, 1 verified")
    expect(page.locator("#live")).to_contain_text("in sync")


def test_plan_now_shows_before_and_after_and_writes_nothing(site: Open, page: Page) -> None:
    site.deployment.close_access("build-pool", "Web")
    writes = site.deployment.cloud.do.counters()["total"]["writes"]
    page.goto(f"{site.url}{POOL}")
    page.get_by_role("button", name="Plan now").click()
    expect(page.locator("#result .changes")).to_contain_text("fabrikam-prime/Web")
    expect(page.locator("#result ins")).to_contain_text("all pipelines")
    assert site.deployment.cloud.do.counters()["total"]["writes"] == writes
    assert not site.deployment.is_open("build-pool", "Web")


def test_everything_works_without_a_script(browser: Browser, site: Open) -> None:
    site.deployment.close_access("build-pool", "Web")
    with browser.new_context(java_script_enabled=False) as context:
        page = site.watch(context.new_page())
        page.goto(site.url)
        page.get_by_label("Search pools").fill("build-pool")
        page.get_by_role("button", name="Search").click()
        expect(page.locator("tr[data-pool]")).to_have_count(1)
        page.get_by_role("link", name="build-pool").click()
        page.get_by_role("button", name="Plan now").click()
        expect(page.locator("#result .changes")).to_contain_text("fabrikam-prime/Web")
        page.get_by_role("button", name="Reconcile now").click()
        expect(page.locator("#result")).to_contain_text("was requested")
    until(lambda: site.deployment.is_open("build-pool", "Web"))


def test_everything_is_reached_by_keys(site: Open, page: Page) -> None:
    site.settle()
    page.goto(site.url)
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("test-pool")
    page.keyboard.press("Enter")
    expect(page.locator("tr[data-pool]")).to_have_count(1)
    page.locator("#pool-test-pool").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Pool test-pool")
    page.get_by_role("button", name="Plan now").focus()
    page.keyboard.press("Space")
    expect(page.locator("#result")).to_contain_text("Plan of test-pool")


def test_a_live_update_leaves_the_focus_where_it_is(site: Open, page: Page) -> None:
    site.settle()
    page.goto(site.url)
    link = page.locator("#pool-build-pool")
    link.focus()
    with page.expect_response(lambda response: "part=live" in response.url, timeout=WITHIN) as updated:
        pass
    assert updated.value.status == 200
    expect(page.locator("#live")).to_be_visible()
    expect(link).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(browser: Browser, site: Open, scheme: str, width: int) -> None:  # fmt: skip
    """Axe also looks at contrast, in both colour schemes."""
    site.settle()
    until(lambda: len(list(site.context.state.names("pools/"))) == 2)
    site.deployment.close_access("build-pool", "Web")
    with browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": 800}
    ) as context:
        page = context.new_page()
        page.set_default_timeout(WITHIN)
        for place in PLACES:
            page.goto(f"{site.url}{place}")
            if place == POOL:
                page.get_by_role("button", name="Plan now").click()
                expect(page.locator("#result .changes")).to_contain_text("fabrikam-prime/Web")
            assert violations(page) == [], place
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), place


def test_names_and_messages_of_others_stay_text(site: Open, page: Page) -> None:
    """Nothing of them runs, opens a dialog, loads anything or is wider than the screen."""
    text = " ".join(HOSTILE[name] for name in ("markup", "an end of an attribute", "right to left", "entities"))
    now = site.context.clock.now()
    names = RememberedNames(projects={f"fabrikam-prime/{text}": "1", f"fabrikam-prime/{'x' * 300}": "2"})
    status = PoolStatus("build-pool", remembered=names, awaited={text: Awaited(now, 1)})
    finding = Finding(Truth.FALSE, "OutOfSync", text + "y" * 900)
    site.context.state.save("pools/build-pool", status.found(finding, now).to_json(), None)
    page.set_viewport_size({"width": 390, "height": 800})
    for place in PLACES[:3]:
        page.goto(f"{site.url}{place}")
        expect(page.locator("main")).to_contain_text("<script>alert(1)</script>")
        assert page.evaluate("document.querySelectorAll('main script, main img, main svg').length") == 0
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), place
    page.get_by_role("link", name="<script>").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("<script>alert(1)</script>")


def test_a_page_of_another_site_requests_nothing(site: Open, browser: Browser, tmp_path: Path) -> None:
    form = tmp_path / "evil.html"
    form.write_text(f'<form method="post" action="{site.url}{POOL}/reconcile"><button>go</button></form>')
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(form.as_uri())
        with page.expect_response(lambda response: response.url.endswith("/reconcile")) as refused:
            page.get_by_role("button").click()
    assert refused.value.status == 403
    assert site.context.outbox.events.length() == 0


def test_the_link_signs_a_browser_in_and_without_it_there_is_nothing(browser: Browser, tmp_path: Path) -> None:
    with opened(tmp_path, f"key-{CANARY}") as site, browser.new_context() as context:
        page = context.new_page()
        for place in (*PLACES, "/assets/page.css"):
            refused = page.goto(f"{site.url}{place}")
            assert refused is not None
            assert refused.status == 401
        page.goto(f"{site.url}/sign-in?code=key-{CANARY}")
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
        assert CANARY not in page.url
        assert CANARY not in page.content()
        page.get_by_role("link", name="build-pool").click()
        expect(page.get_by_role("button", name="Reconcile now")).to_be_visible()


def test_the_panel_of_play_is_clean_and_its_buttons_are_clicked(browser: Browser) -> None:
    """The demo's own page; what the buttons do is in tests/demo/test_play.py."""
    pressed: list[str] = []

    def do(drift: Drift) -> str:
        pressed.append(drift.key)
        return f"{drift.title} <b>{drift.key}</b>"

    with Panel(CAUSES, do, SystemClock().now, "http://127.0.0.1:1") as panel, browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(WITHIN)
        page.goto(panel.url)
        for drift in CAUSES:
            page.get_by_role("button", name=drift.title, exact=True).click()
            expect(page.locator("li").first).to_contain_text(f"<b>{drift.key}</b>")
        assert pressed == [drift.key for drift in CAUSES]
        assert violations(page) == []
