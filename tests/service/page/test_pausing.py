"""Pausing on the page of a pool: the owner alone, named by the token, and from a page of this site."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from reconciler.safety import ModeScope
from reconciler.service.http.access import OWNER, READER
from reconciler.service.http.message import HttpRequest, HttpResponse
from reconciler.service.triggers import TriggerContext
from reconciler.service.triggers.web import answer
from tests.deployment import Deployment, deployed, with_options
from tests.service.http.test_mode import ID, OPERATE, signed_in
from tests.service.page.kit import Dom
from tests.service.page.test_actions import BROWSER, HTMX, OTHERS, SAME, post

PAUSE = {"action": "pause", "until": "4h", "reason": "moving <b>house</b>", "field": ""}


@pytest.fixture
def deployment(tmp_path: Path) -> Any:
    with deployed(tmp_path) as made:
        yield made


@pytest.fixture
def azure(deployment: Deployment) -> TriggerContext:
    return with_options(deployment.context(), role=OPERATE, platform_authenticates=True)


def send(context: TriggerContext, headers: dict[str, str], **form: str) -> HttpResponse:
    return post(context, "pause", headers, urlencode(PAUSE | form).encode())


def shown(context: TriggerContext, *roles: str) -> str:
    request = HttpRequest("GET", "/pools/build-pool", {"name": "build-pool"}, headers={**SAME, **signed_in(*roles)})
    return answer(context, "page_pool", request).content().decode()


def test_the_owner_pauses_and_resumes_and_everybody_sees_it(azure: TriggerContext) -> None:
    owner = {**HTMX, **signed_in(OWNER)}

    done = send(azure, owner)
    assert (done.status, "is paused until" in done.content().decode()) == (200, True)
    (pause,) = azure.safety.pauses()
    assert (pause.scope, pause.place.rpartition(" by ")[2]) == (ModeScope(pool="build-pool"), ID)
    page = shown(azure, READER)
    assert "pool build-pool paused until" in page
    assert "moving &lt;b&gt;house&lt;/b&gt;" in page
    assert len(Dom(shown(azure, OWNER)).all("button")) == 2
    assert send(azure, owner, action="resume").status == 200
    assert azure.safety.pauses() == ()
    assert azure.outbox.events.length() == 1, "what was held back is done at once"
    assert send(azure, owner, action="resume").status == 409


def test_without_script_the_browser_comes_back_to_the_pool(azure: TriggerContext) -> None:
    done = send(azure, {**SAME, **signed_in(OWNER)}, field="roles, open_access")

    assert (done.status, done.headers["Location"]) == (303, "/pools/build-pool")
    assert [one.scope.field for one in azure.safety.pauses()] == ["openAccess", "roles"]


@pytest.mark.parametrize("roles", [[OPERATE], [READER], [OPERATE, READER]])
def test_nobody_else_pauses(azure: TriggerContext, roles: list[str]) -> None:
    assert send(azure, {**HTMX, **signed_in(*roles)}).status == 403
    assert azure.safety.pauses() == ()
    assert "mdp-reconciler pause build-pool" in shown(azure, *roles)


@pytest.mark.parametrize("said", OTHERS.values(), ids=OTHERS)
def test_what_no_page_of_this_site_sent_pauses_nothing(azure: TriggerContext, said: dict[str, str]) -> None:
    assert send(azure, {**BROWSER, **signed_in(OWNER), **said}).status == 403
    assert azure.safety.pauses() == ()


@pytest.mark.parametrize(
    "form",
    [
        {"until": ""}, {"until": "soon"}, {"until": "91d"}, {"reason": " "}, {"reason": "x" * 501}, {"field": "rols"},
        {"field": ","}, {"field": " , ,"}, {"field": "  "}, {"field": "roles,tags."},
        {"action": "stop"}, {"field": ",".join(["tags.a" + str(number) for number in range(60)])},
    ],
)  # fmt: skip
def test_a_form_that_cannot_be_meant_pauses_nothing(azure: TriggerContext, form: dict[str, str]) -> None:
    assert send(azure, {**HTMX, **signed_in(OWNER)}, **form).status == 400
    assert azure.safety.pauses() == ()


@pytest.mark.parametrize("options", [{"serves": True}, {"plans": False}])
def test_where_the_owner_is_not_told_apart_the_page_shows_the_command(
    azure: TriggerContext, options: dict[str, bool]
) -> None:
    """`serve` knows a key and no person; the ingress app may not write the safety store."""
    context = with_options(azure, **options)

    assert send(context, {**HTMX, **signed_in(OWNER)}).status == 403
    assert "mdp-reconciler pause build-pool --until 4h" in shown(context, OWNER)
    assert context.safety.pauses() == ()


def test_a_pause_that_cannot_be_read_is_on_the_page(azure: TriggerContext) -> None:
    send(azure, {**HTMX, **signed_in(OWNER)})
    azure.safety.documents.change("mode/pools/build-pool", lambda body: body | {"pauses": 5})

    assert "holds no pauses that this release knows" in shown(azure, READER)
