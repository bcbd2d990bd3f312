"""The pages without a browser: what they say of stored statuses, specs and the record, and how much of it at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.documents import moment
from reconciler.engine.status import Finding, InFlight, PoolStatus, Truth
from reconciler.engine.stored import Awaited, Rest
from reconciler.safety import ModeScope, WriteMode
from reconciler.service.http.message import HttpProblem
from reconciler.service.page import views
from reconciler.service.page.pictures import Pictures
from reconciler.service.page.rendering import FOLDER, HEADERS
from tests.service.page.kit import REVISION, Aged, Dom, Files, Site, texts

PAGES = (
    "/", "/?q=build&state=in+sync", "/?part=live", "/?live=off", "/organizations/fabrikam-prime", "/pools/build-pool",
    "/pools/build-pool?part=live", "/pools/build-pool?organization=fabrikam-prime",
    "/pools/build-pool?organization=fabrikam-prime&project=Web", "/pools/retired-pool",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_and_loads_nothing_but_its_own_files(site: Site, path: str) -> None:
    response = site.get(path)
    dom = Dom(response.content().decode())

    assert dom.problems == []
    assert dict(response.headers) | HEADERS == dict(response.headers)
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert not [one for one in dom.elements if one.tag == "style" or "style" in one.attributes]
    assert not [name for one in dom.elements for name in one.attributes if name.startswith(("on", "hx-on"))]
    for one in dom.elements:
        for name in ("src", "action", "hx-get", "hx-post"):
            assert one.attributes.get(name, "/").startswith("/"), one
        assert re.match(r"/|#|https://github\.com/fabrikam/pools/", one.attributes.get("href", "/")), one
    assert all(one.attributes["src"] == "/assets/htmx-2.0.11.min.js" and not one.text for one in dom.all("script"))


@pytest.mark.parametrize("path", PAGES)
def test_every_id_stands_once_and_every_label_names_one(site: Site, path: str) -> None:
    dom = Dom(site.get(path).content().decode())
    ids = [one.attributes["id"] for one in dom.elements if "id" in one.attributes]
    named = [
        one.attributes[name] for one in dom.elements for name in ("for", "aria-labelledby") if name in one.attributes
    ]

    assert len(ids) == len(set(ids))
    assert set(named) <= set(ids)
    if "part=live" not in path:
        assert len(dom.all("h1")) == len(dom.all("main")) == len(dom.all("title")) == 1
        assert dom.all("a")[0].attributes["href"] == "#main"


def test_the_overview_counts_by_state_and_the_worst_come_first(site: Site) -> None:
    dom = site.dom("/")

    assert [re.sub(r"\W+", " ", one.text).strip() for one in dom.all("a", id="*") if "count-" in one.attributes["id"]] == [
        "1 stalled", "1 no spec", "1 in sync",
    ]  # fmt: skip
    assert [one.attributes["data-pool"] for one in dom.all("tr", data_pool="*")] == [
        "test-pool", "retired-pool", "build-pool",
    ]  # fmt: skip


STATES: list[tuple[str, str, Callable[[Site], object]]] = [
    ("in sync", "InSync", lambda site: site.status("build-pool", Truth.TRUE, "InSync")),
    ("stalled", "Stalled", lambda site: site.status("build-pool", Truth.UNKNOWN, "Stalled", stalled="Stalled")),
    ("out of sync", "OutOfSync", lambda site: site.status("build-pool", Truth.FALSE, "OutOfSync")),
    ("in motion", "Throttled", lambda site: site.status("build-pool", Truth.UNKNOWN, "Throttled", moving="Throttled")),
    ("unknown", "Unavailable", lambda site: site.status("build-pool", Truth.UNKNOWN, "Unavailable")),
    ("not read yet", "no run is stored", lambda site: site.save("pools/build-pool", {})),
    ("not read yet", "no run is stored", lambda site: site.save("pools/build-pool", {"conditions": "damaged"})),
]  # fmt: skip


@pytest.mark.parametrize(("state", "reason", "store"), STATES)
def test_a_state_is_never_better_than_the_stored_conditions(
    site: Site, state: str, reason: str, store: Callable[[Site], object]
) -> None:
    store(site)
    (row,) = site.dom("/").all("tr", data_pool="build-pool")

    assert state in row.text
    assert reason in row.text
    assert state in site.dom("/pools/build-pool").text


def test_a_paused_pool_says_so_until_its_last_day(site: Site) -> None:
    head = "mode: enforce\n"
    site.files.texts["build-pool"] = site.files.texts["build-pool"].replace(
        head, "mode: pause\nuntil: 2999-01-01\nreason: move\n"
    )
    site.pictures.forget()

    assert "paused" in site.dom("/pools/build-pool").text
    site.files.texts["build-pool"] = site.files.texts["build-pool"].replace("2999", "2020")
    site.pictures.forget()
    assert "in sync" in site.dom("/pools/build-pool").text


@pytest.mark.parametrize(("query", "found"), [
    ("q=BUILD-pool", ["build-pool"]),
    ("q=guard", ["test-pool"]),
    ("q=fabrikam-PRIME", ["test-pool", "build-pool"]),
    ("q=rg-build&state=in+sync", ["build-pool"]),
    ("state=no+spec", ["retired-pool"]),
    ("state=%3Cscript%3E", ["test-pool", "retired-pool", "build-pool"]),
    ("q=nothing-like-it", []),
])  # fmt: skip
def test_pools_are_searched_and_filtered(site: Site, query: str, found: list[str]) -> None:
    dom = site.dom(f"/?{query}")

    assert [one.attributes["data-pool"] for one in dom.all("tr", data_pool="*")] == found
    assert f"{len(found)} pools" in dom.all("caption")[0].text


@pytest.mark.parametrize("asked", ["0", "-1", "99999999999999999999", "x", "", "²", "2"])
def test_a_page_that_is_not_there_is_the_nearest(site: Site, asked: str) -> None:
    assert len(site.dom(f"/?page={asked}").all("tr", data_pool="*")) == 3


@pytest.mark.parametrize("path", [
    "/pools/other", "/organizations/other", "/pools/build-pool?organization=other", "/pools/retired-pool?organization=x",
    "/pools/build-pool?organization=fabrikam-prime&project=Other", "/pools/%3Cscript%3E",
])  # fmt: skip
def test_what_nobody_names_is_not_found(site: Site, path: str) -> None:
    with pytest.raises(HttpProblem) as raised:
        site.get(path)

    assert raised.value.status == 404


def test_a_pool_says_why_since_when_and_what_comes_next(site: Site) -> None:
    later, now = site.ago(minutes=-7), site.clock.now()
    site.status(
        "build-pool", Truth.FALSE, "Progressing", "2 changes wait", moving="Progressing", seen=site.ago(minutes=3),
        applied=REVISION, attempts=2, error="Throttled",
        pending=InFlight("https://secret.example/signed", "write of the pool", "pool", "c", 3.0, now),
        awaited={"queue of Web is missing": Awaited(now, 2)},
        resting={"roles: ann": Rest("the directory does not know ann", "", 1, later)},
    )  # fmt: skip
    site.save("follow-ups/build-pool", {"at": moment(later)})
    text = site.dom("/pools/build-pool").text

    for said in (
        "Ready False", "Progressing", "2 changes wait", "Azure finishes: write of the pool", "queue of Web is missing",
        "the directory does not know ann", "a follow-up of the last run", f"{later:%Y-%m-%d %H:%M:%S} UTC",
        "2, Throttled", REVISION[:10],
    ):  # fmt: skip
        assert said in text
    assert "secret.example" not in text


def test_the_feeds_say_what_is_paused_and_what_is_refused(site: Site) -> None:
    assert "Last full resync never" in site.dom("/").text
    swept, later = site.ago(minutes=4), site.ago(hours=-1)
    site.save("sweep", {"at": moment(swept), "pools": 2})
    site.save("audit/fabrikam-prime", {"cursor": "x", "refusedUntil": moment(later)})
    site.save("gates/fabrikam-prime", {"an-identity": moment(later), "another": moment(swept), "damaged": 3})
    text = site.dom("/").text

    assert (
        f"{swept:%Y-%m-%d %H:%M:%S} UTC, the next is due at {swept + timedelta(minutes=15):%Y-%m-%d %H:%M:%S} UTC"
        in text
    )
    assert f"paused until {later:%Y-%m-%d %H:%M:%S} UTC" in text
    assert f"refused, tried again at {later:%Y-%m-%d %H:%M:%S} UTC" in text
    assert "an-identity" not in text
    site.save("audit/fabrikam-prime", {"cursor": "x"})
    site.save("gates/fabrikam-prime", {})
    assert "not paused" in site.dom("/organizations/fabrikam-prime").text
    assert "Audit log read" in site.dom("/organizations/fabrikam-prime").text


def test_what_holds_writes_back_stands_above_everything(site: Site) -> None:
    site.safety.set_mode(ModeScope(), WriteMode.STOP, reason="wrong images", by="ann")
    site.modes = site.safety.settings()
    site.files.stale = "no route"
    site.pictures.forget()
    notices = [one.text for one in site.dom("/").all("p") if one.attributes.get("class") == "notice"]

    assert "wrong images" in notices[0]
    assert notices[1:] == ["Git cannot be read; the last good commit applies."]


def test_problems_of_specs_are_listed(site: Site) -> None:
    site.files.texts["broken"] = "apiVersion: reconciler/v1\n"
    site.pictures.forget()

    assert "1 problems" not in site.dom("/").text or "broken.yaml" in site.dom("/").text
    assert "broken.yaml" in site.dom("/").text


def test_what_the_spec_says_of_an_organization_and_of_a_project(site: Site) -> None:
    site.files.texts["build-pool"] += (
        "access:\n  openAccess:\n"
        "    - {project: fabrikam-prime/Web, allow: false, until: 2999-01-01, reason: audit}\n"
        "  roles:\n    - {organization: fabrikam-prime, administrators: [ann@fabrikam.com], exclusive: true, inherit: false}\n"
    )
    site.pictures.forget()
    within = "/pools/build-pool?organization=fabrikam-prime"

    assert not site.picture().specs.problems
    assert "administrators ann@fabrikam.com, no others" in " ".join(site.dom(within).text.split())
    assert "closed until 2999-01-01: audit" in site.dom(f"{within}&project=Web").text
    assert "open to all pipelines" in site.dom(f"{within}&project=Api").text


def test_a_thousand_pools_with_a_hundred_projects_are_pages_of_fifty(tmp_path: Path) -> None:
    projects = [f"project-{number:03d}" for number in range(100)]
    pools = [f"pool-{number:04d}" for number in range(1000)]
    site = Site(tmp_path, Files(texts(*pools, projects=projects)))
    for key in pools[::100]:
        site.status(key, Truth.FALSE, "OutOfSync", "x " * 400)
    overview, second = site.dom("/"), site.dom("/?page=20")
    inside = site.dom("/pools/pool-0000?organization=fabrikam-prime")

    assert len(overview.all("tr", data_pool="*")) == len(second.all("tr", data_pool="*")) == 50
    assert "1000 pools, page 1 of 20" in overview.text
    assert [one.text for one in overview.all("a") if one.text in ("Next", "Previous")] == ["Next"]
    assert [one.text for one in second.all("a") if one.text in ("Next", "Previous")] == ["Previous"]
    assert len(inside.all("li", data_project="*")) == 50
    assert max(len(page.elements) for page in (overview, second, inside)) < 800
    found = {
        row.attributes["data-pool"] for n in range(1, 21) for row in site.dom(f"/?page={n}").all("tr", data_pool="*")
    }
    assert found == set(pools)
    assert site.files.reads == 1


def test_browsers_that_look_at_once_share_one_read(site: Site) -> None:
    site.picture()
    before = site.files.reads
    for _ in range(20):
        site.get("/?part=live")

    assert site.files.reads == before


def test_a_picture_is_read_again_when_it_is_old_and_a_large_one_later(site: Site) -> None:
    aged = Aged(site.clock)
    pictures = Pictures()

    def read_after(seconds: float) -> bool:
        before, aged.seconds = site.files.reads, aged.seconds + seconds
        pictures.picture(site.catalogue, site.store.state, aged)
        return site.files.reads > before

    assert [read_after(seconds) for seconds in (0, 4, 2, 4.9, 0.2)] == [True, False, True, False, True]
    site.files.texts |= texts(*(f"pool-{number}" for number in range(1000)))
    assert [read_after(seconds) for seconds in (6, 20, 9, 2)] == [True, False, False, True]


def test_the_page_of_a_pool_shows_what_is_stored_now(site: Site) -> None:
    """However old the picture of all pools is."""
    assert "InSync" in site.dom("/pools/build-pool").text
    known = site.store.state.load("pools/build-pool")
    finding = Finding(Truth.FALSE, "OutOfSync", "1 change")
    changed = PoolStatus("build-pool").found(finding, site.clock.now())
    site.store.state.save("pools/build-pool", changed.to_json(), known.etag if known else None)

    assert "OutOfSync" in site.get("/pools/build-pool?part=live").content().decode()


def test_updates_can_be_stopped_and_started_again(site: Site) -> None:
    on, off = site.dom("/?q=build-pool"), site.dom("/?q=build-pool&live=off")
    (live,) = on.all("div", id="live")

    assert live.attributes["hx-trigger"] == f"every {views.EVERY}s"
    assert "hx-get" not in off.all("div", id="live")[0].attributes
    assert [one.attributes["href"] for one in on.all("a") if one.text == "stop updates"] == ["/?q=build-pool&live=off"]
    assert [one.attributes["href"] for one in off.all("a") if one.text == "start updates"] == ["/?q=build-pool"]
    again = site.dom(live.attributes["hx-get"])
    assert again.all("div", id="live")[0].attributes == live.attributes
    assert len(again.all("tr", data_pool="*")) == 1


def test_the_library_is_the_published_one_with_its_licence() -> None:
    """From the package htmx.org on npm; the licence asks for nothing, and lies beside it all the same."""
    import hashlib  # noqa: PLC0415 - here alone

    library = (FOLDER / "assets/htmx-2.0.11.min.js").read_bytes()

    assert hashlib.sha256(library).hexdigest() == "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"
    assert b'version:"2.0.11"' in library
    assert "Zero-Clause BSD" in (FOLDER / "assets/htmx-LICENSE.txt").read_text()


def test_a_reader_without_the_operators_role_sees_no_button(site: Site) -> None:
    site.operates = False

    assert site.dom("/pools/build-pool").all("button") == []
    assert "needs the operator's role" in site.dom("/pools/build-pool").text


def test_an_app_that_does_not_plan_names_the_command(site: Site) -> None:
    assert "mdp-reconciler plan build-pool" in site.dom("/pools/build-pool").text
    site.plans = {}
    assert "mdp-reconciler plan build-pool" not in site.dom("/pools/build-pool").text
    assert replace(site.context(), plan=None).plan is None
