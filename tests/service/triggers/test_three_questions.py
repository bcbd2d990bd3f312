"""Who removed my administrator, and why; since when is it wrong; what did it do last week: asked over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from reconciler.documents import moment
from reconciler.safety import ModeScope, WriteMode
from reconciler.service.http.message import HttpRequest, HttpResponse
from reconciler.service.triggers import TriggerContext, web
from tests.deployment import Deployment, deployed, spec, with_options, work_off
from tests.service.http.test_mode import OPERATE, signed_in

POOL, ORGANIZATION = "build-pool", "fabrikam-prime"
ACCESS = (
    "access:\n  roles:\n    - organization: fabrikam-prime\n      administrators: [ann@fabrikam.com]\n"
    "      exclusive: true\n"
)
FILE = spec(POOL) + ACCESS


def told(deployment: Deployment) -> TriggerContext:
    """In sync by a spec that names Ann alone; then Zoe gets a role by hand, and a run takes it away."""
    deployment.commit(**{POOL: FILE})
    context = deployment.context()
    requested(context)
    add_zoe(deployment)
    requested(context)
    return context


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TriggerContext]:
    """The same for the tests that only ask."""
    with deployed(tmp_path_factory.mktemp("story")) as made:
        yield told(made)


def add_zoe(deployment: Deployment) -> None:
    """Ann makes Zoe an administrator, which the spec does not say."""
    deployment.cloud.do.edit("add-identity", organization=ORGANIZATION, principal="zoe", by="ann")
    deployment.cloud.do.edit(
        "set-role", organization=ORGANIZATION, pool=POOL, who="zoe", role="Administrator", by="ann"
    )


def requested(context: TriggerContext) -> None:
    """A caller requests a run, which no earlier run covers."""
    request = HttpRequest("POST", f"/api/pools/{POOL}/reconcile", params={"name": POOL})
    assert web.answer(context, "reconcile_pool", request).status == 202
    work_off(context)


def get(context: TriggerContext, name: str, params: dict[str, str] | None = None, **query: str) -> HttpResponse:
    request = HttpRequest("GET", f"/api/{name}", params=params or {}, query=query)
    return web.answer(context, name, request)


def history(context: TriggerContext, **query: str) -> Any:
    found = get(context, "history", None, pool=POOL, **query)
    assert found.status == 200, found.body
    json.dumps(found.body)
    return found.body


def test_who_removed_my_administrator_and_why(story: TriggerContext) -> None:
    (removal,) = [one for one in history(story)["writes"] if one["action"] == "remove" and "zoe" in one["subject"]]

    assert (removal["what"], removal["before"], removal["after"]) == ("administrator", "Administrator", None)
    assert (removal["risk"], removal["cause"]) == ("narrows", "drift")
    assert removal["trigger"] in ("http", "follow-up"), "shortly after another run a request becomes a follow-up"
    assert removal["commit"] == story.catalogue.specs().revision
    assert FILE.splitlines()[removal["line"] - 1].strip() == "- organization: fabrikam-prime"
    assert removal["file"] == f"{POOL}.yaml"
    assert (removal["result"]["outcome"], removal["proof"]["outcome"]) == ("confirmed", "verified")
    run = get(story, "run", {"id": removal["run"]}).body
    assert removal["id"] in [one["id"] for one in run["writes"]]
    assert (run["plan"], run["policy"]) == (removal["plan"], removal["policy"])


def test_since_when_is_it_wrong(deployment: Deployment) -> None:
    story = deployment.context()
    story.safety.set_mode(ModeScope(), WriteMode.REPORT, reason="holiday", by="ann")
    before = moment(story.clock.now())
    deployment.close_access(POOL, "Web")
    requested(story)

    (ready,) = [one for one in history(story)["conditions"] if one["type"] == "Ready"]

    assert (ready["status"], ready["reason"]) == ("False", "OutOfSync")
    assert "open access" in ready["message"] or "1 " in ready["message"]
    assert before <= ready["since"] <= moment(story.clock.now())


def test_what_did_it_do_last_week(story: TriggerContext) -> None:
    done = history(story, since="7d")["writes"]

    assert {one["pool"] for one in done} == {POOL}
    assert next(one["what"] for one in done if one["action"] == "remove") == "administrator"
    assert [one["at"] for one in done] == sorted((one["at"] for one in done), reverse=True)
    later = moment(story.clock.now() + timedelta(seconds=1))
    assert history(story, since=later)["writes"] == []


def test_pages_hold_every_write_once(story: TriggerContext) -> None:
    whole = [one["id"] for one in history(story)["writes"]]
    assert len(whole) >= 2
    seen, query = [], {"limit": "1"}
    for _ in whole:
        found = history(story, **query)
        seen += [one["id"] for one in found["writes"]]
        query["before"] = found["next"] or "none"

    assert seen == whole
    assert found["next"] is None


BAD = [
    ({"pool": "-"}, "pool: is -; a pool's name"),
    ({"since": "yesterday"}, "since: 'yesterday' is no time back"),
    ({"limit": "0"}, "limit: must be a whole number from 1 to 200"),
    ({"limit": "ten"}, "limit: must be a whole number from 1 to 200"),
    ({"limit": "٣"}, "limit: must be a whole number from 1 to 200"),
    ({"before": "x"}, "before: must be `next` of an earlier answer"),
    ({"actor": "x" * 201}, "actor: must be a text of 1 to 200 characters"),
    ({"project": ""}, "project: must be a text of 1 to 200 characters"),
    ({"Pool": "a"}, "Pool: is no parameter; known are actor, before, limit, pool, project, since"),
]


@pytest.mark.parametrize(("query", "says"), BAD)
def test_a_query_that_cannot_be_meant_is_refused(deployment: Deployment, query: dict[str, str], says: str) -> None:
    found = get(deployment.context(), "history", None, **query)

    assert (found.status, found.content_type) == (400, "application/problem+json")
    assert found.body["detail"].startswith(says)


@pytest.mark.parametrize(
    ("run", "status"), [("x", 400), ("20261120T120000Z-000000000000", 404), ("99999999T999999Z-000000000000", 404)]
)
def test_a_run_that_is_not_there(deployment: Deployment, run: str, status: int) -> None:
    found = get(deployment.context(), "run", {"id": run})

    assert (found.status, found.body["detail"].startswith("run")) == (status, True)


@pytest.mark.parametrize("name", ["history", "run"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"x-functions-key": "k"}, 401),
        (signed_in("Another.Role"), 403),
        ({"x-ms-client-principal": "%%"}, 403),
    ],
)
def test_the_record_is_read_by_those_who_may_read_status(
    deployment: Deployment, name: str, headers: dict[str, str], status: int
) -> None:
    context = with_options(deployment.context(), role=OPERATE, platform_authenticates=True)
    request = HttpRequest("GET", f"/api/{name}", params={"id": "x"}, headers=headers)
    assert web.answer(context, name, request).status == status


def test_an_operator_may_read_it(deployment: Deployment) -> None:
    context = with_options(deployment.context(), role=OPERATE, platform_authenticates=True)
    asked = HttpRequest("GET", "/api/history", headers=signed_in(OPERATE))

    assert web.answer(context, "history", asked).status == 200


@pytest.mark.parametrize(
    ("names", "logged", "kept"), [("record", False, True), ("on", True, True), ("off", False, False)]
)
def test_people_are_named_where_the_setting_allows_it(
    deployment: Deployment, caplog: pytest.LogCaptureFixture, names: str, logged: bool, kept: bool
) -> None:
    caplog.set_level("INFO", "reconciler")
    deployment.commit(**{POOL: FILE})
    add_zoe(deployment)
    context = deployment.context(NAMES=names)
    requested(context)

    heard = [json.loads(one.message) for one in caplog.records if one.message.startswith("{")]
    lines = [one for one in heard if one["event"] == "write"]
    writes = history(context)["writes"]
    assert sorted(one["entry"] for one in lines) == sorted(one["id"] for one in writes), "one line for each write"
    assert lines[-1]["result"] == "confirmed"
    assert any("zoe" in str(one) for one in lines) is logged
    assert any("zoe" in str(one) for one in writes) is kept
    spans = [span for span in deployment.metrics.spans if span.name == "write"]
    assert sorted(str(span.attributes["reconciler.entry"]) for span in spans) == sorted(one["id"] for one in writes)
    assert any("zoe" in str(span.attributes) for span in spans) is logged
