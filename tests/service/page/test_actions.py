"""What people may do on a page: who, from where, and what comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from reconciler.service.http.access import OWNER, READER
from reconciler.service.http.message import HttpRequest, HttpResponse
from reconciler.service.triggers import TriggerContext
from reconciler.service.triggers.web import answer
from tests.deployment import Deployment, deployed, texts, with_options, work_off
from tests.service.http.test_mode import OPERATE, signed_in
from tests.service.page.kit import Dom

BROWSER = {"accept": "text/html,application/xhtml+xml", "host": "app.example"}
SAME = {**BROWSER, "sec-fetch-site": "same-origin"}
HTMX = {**SAME, "hx-request": "true"}


@pytest.fixture
def deployment(tmp_path: Path) -> Any:
    with deployed(tmp_path) as made:
        yield made


@pytest.fixture
def azure(deployment: Deployment) -> TriggerContext:
    return with_options(deployment.context(), role=OPERATE, platform_authenticates=True)


@pytest.fixture
def served(deployment: Deployment) -> TriggerContext:
    return with_options(deployment.context(), serves=True)


def get(context: TriggerContext, headers: dict[str, str], path: str = "/", name: str = "page_overview", **params: str) -> HttpResponse:  # fmt: skip
    return answer(context, name, HttpRequest("GET", path, params, headers=headers))


def post(context: TriggerContext, which: str, headers: dict[str, str], body: bytes = b"", pool: str = "build-pool") -> HttpResponse:  # fmt: skip
    return answer(
        context,
        f"page_{which}",
        HttpRequest("POST", f"/pools/{pool}/{which}", {"name": pool}, headers=headers, body=body),
    )


@pytest.mark.parametrize(
    "path", ["/", "/?q=a&state=in+sync", "https://app.example/pools/x?organization=y", "//evil.example/x"]
)
def test_a_browser_is_sent_to_sign_in_and_comes_back(azure: TriggerContext, path: str) -> None:
    response = get(azure, BROWSER, path)
    location = urlsplit(response.headers["Location"])
    (back,) = parse_qs(location.query)["post_login_redirect_uri"]

    assert (response.status, response.content()) == (302, b"")
    assert (location.scheme, location.netloc, location.path) == ("", "", "/.auth/login/aad")
    assert back.startswith("/")
    assert not back.startswith("//")
    assert urlsplit(path).query in unquote(back)


@pytest.mark.parametrize("headers", [{}, {"accept": "*/*"}, {"accept": "application/json"}])
def test_other_callers_get_401(azure: TriggerContext, headers: dict[str, str]) -> None:
    response = get(azure, headers)

    assert (response.status, response.content_type) == (401, "application/problem+json")


def test_an_open_page_whose_sign_in_is_over_reloads(azure: TriggerContext) -> None:
    response = get(azure, HTMX)

    assert (response.status, response.headers["HX-Refresh"]) == (401, "true")


@pytest.mark.parametrize(("roles", "status", "buttons"), [
    ([READER], 200, 0), ([OPERATE], 200, 2), ([OWNER], 200, 1), ([READER, OWNER], 200, 1), ([OPERATE, READER], 200, 2),
    ([], 403, 0), (["Reconciler.read"], 403, 0), (["Other"], 403, 0),
])  # fmt: skip
def test_a_role_reads_and_the_operators_acts(
    azure: TriggerContext, roles: list[str], status: int, buttons: int
) -> None:
    found = answer(
        azure, "page_pool", HttpRequest("GET", "/pools/build-pool", {"name": "build-pool"}, headers={**SAME, **signed_in(*roles)})
    )  # fmt: skip
    dom = Dom(found.content().decode())

    assert (found.status, len(dom.all("button"))) == (status, buttons)
    for which in ("reconcile", "plan"):
        done = post(azure, which, {**HTMX, **signed_in(*roles)})
        assert (done.status == 200) == (OPERATE in roles), which
    assert azure.outbox.events.length() == (1 if OPERATE in roles else 0)


def test_where_the_deployment_requires_no_role_only_readers_and_owners_are_known(azure: TriggerContext) -> None:
    """An empty setting must not match a caller's empty role."""
    context = with_options(azure, role="")

    assert get(context, {**SAME, **signed_in("")}).status == 403
    assert get(context, {**SAME, **signed_in(OPERATE)}).status == 403
    assert get(context, {**SAME, **signed_in(READER)}).status == 200
    assert post(context, "reconcile", {**HTMX, **signed_in(READER, "")}).status == 403


def test_without_the_platforms_sign_in_there_is_no_page(deployment: Deployment) -> None:
    """A caller could send the header by itself."""
    context = with_options(deployment.context(), role=OPERATE)
    response = get(context, {**SAME, **signed_in(OPERATE, OWNER)})

    assert response.status == 403
    assert b"App Service authentication" in response.content()


OTHERS = {
    "another site": {"sec-fetch-site": "cross-site"},
    "a neighbour": {"sec-fetch-site": "same-site"},
    "typed by hand": {"sec-fetch-site": "none"},
    "another site with the header of the script": {"sec-fetch-site": "cross-site", "hx-request": "true"},
    "another origin": {"origin": "https://evil.example"},
    "another origin with the header of the script": {"origin": "https://evil.example", "hx-request": "true"},
    "a sandboxed page": {"origin": "null"},
    "an origin that is none": {"origin": ""},
    "nothing said": {},
}


@pytest.mark.parametrize("said", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("which", ["reconcile", "plan"])
def test_what_no_page_of_this_site_sent_is_not_done(azure: TriggerContext, said: dict[str, str], which: str) -> None:
    response = post(azure, which, {**BROWSER, **signed_in(OPERATE), **said})

    assert response.status == 403
    assert azure.outbox.events.length() == 0


@pytest.mark.parametrize("said", [
    {"sec-fetch-site": "same-origin"}, {"origin": "https://app.example"}, {"origin": "https://APP.example"}, {"hx-request": "true"},
])  # fmt: skip
def test_what_a_page_of_this_site_sent_is_done(azure: TriggerContext, said: dict[str, str]) -> None:
    response = post(azure, "reconcile", {**BROWSER, **signed_in(OPERATE), **said})

    assert response.status in (200, 303)
    assert azure.outbox.events.length() == 1


def test_an_action_is_no_get(azure: TriggerContext) -> None:
    from tests.infra.naming import functions, trigger  # noqa: PLC0415 - reads the app

    methods = {one.get_function_name(): trigger(one).get("methods") for one in functions()}

    assert (methods["page_reconcile"], methods["page_plan"]) == (["POST"], ["POST"])


def test_reconcile_now_repairs_and_the_page_shows_who_requested_what(
    deployment: Deployment, served: TriggerContext
) -> None:
    """Without a script: a form, a redirect, and the result on the page."""
    deployment.close_access("build-pool", "Web")
    response = post(served, "reconcile", SAME)
    work_off(served)
    served.pictures.forget()
    page = answer(
        served,
        "page_pool",
        HttpRequest("GET", response.headers["Location"], {"name": "build-pool"}, {"requested": "1"}),
    )
    text = Dom(page.content().decode()).text

    assert (response.status, response.headers["Location"]) == (303, "/pools/build-pool?requested=1")
    assert deployment.is_open("build-pool", "Web")
    assert "was requested" in text
    assert "1 planned, 1 written, 1 verified" in text
    assert "before nothing after all pipelines" in text
    writes = deployment.cloud.do.counters()["total"]["writes"]
    assert post(served, "reconcile", HTMX).status == 200
    work_off(served)
    assert deployment.cloud.do.counters()["total"]["writes"] == writes


def test_plan_now_shows_before_and_after_and_writes_nothing(deployment: Deployment, served: TriggerContext) -> None:
    for project in ("Web", "Api"):
        deployment.close_access("build-pool", project)
    before = deployment.cloud.do.counters()["total"]["writes"]
    part, whole = post(served, "plan", HTMX), post(served, "plan", SAME)
    web = post(served, "plan", HTMX, b"organization=fabrikam-prime&project=Web").content().decode()

    assert (part.status, whole.status) == (200, 200)
    assert "2 changes" in Dom(f"<main>{part.content().decode()}</main>").text
    assert Dom(whole.content().decode()).problems == []
    assert "before nothing after all pipelines" in Dom(whole.content().decode()).text
    assert ("fabrikam-prime/Web" in web, "fabrikam-prime/Api" in web) == (True, False)
    assert deployment.cloud.do.counters()["total"]["writes"] == before
    assert texts(served.outbox.events) == []


def test_where_the_planes_are_not_read_there_is_no_plan(served: TriggerContext) -> None:
    ingress = with_options(served, plans=False)

    assert post(ingress, "plan", HTMX).status == 404
    assert post(ingress, "reconcile", HTMX).status == 200


@pytest.mark.parametrize("which", ["reconcile", "plan"])
def test_nothing_is_requested_for_a_pool_that_no_spec_names(served: TriggerContext, which: str) -> None:
    response = post(served, which, HTMX, pool="<b>other</b>")

    assert response.status == 404
    assert b"&lt;b&gt;other" in response.content()
    assert served.outbox.events.length() == 0


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a=1&" * 500, b"organization=" + b"x" * 60_000, b"=&=&&;"])
def test_a_strange_form_is_no_bug(served: TriggerContext, body: bytes) -> None:
    assert post(served, "plan", HTMX, body).status in (200, 400)


def test_a_form_over_the_limit_is_refused(served: TriggerContext) -> None:
    assert post(served, "plan", HTMX, b"x" * 70_000).status == 413


def test_a_store_that_does_not_answer_is_a_page_with_the_reason(deployment: Deployment) -> None:
    context = with_options(deployment.context(SPECS="/nowhere-at-all"), serves=True)
    shown, said = get(context, BROWSER), get(context, {})

    assert (shown.status, said.status) == (503, 503)
    assert shown.content_type.startswith("text/html")
    assert said.content_type == "application/problem+json"
    assert b"nowhere-at-all" in shown.content()


def test_files_are_the_listed_ones_alone(served: TriggerContext) -> None:
    for name in ("page.css", "htmx-2.0.11.min.js", "icon.svg", "htmx-LICENSE.txt"):
        response = answer(served, "page_file", HttpRequest("GET", "/", {"name": name}))
        assert response.status == 200
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    for name in ("../views.py", "..%2fviews.py", "page.css/", "", "PAGE.CSS", "templates/base.html"):
        assert answer(served, "page_file", HttpRequest("GET", "/", {"name": name})).status == 404
