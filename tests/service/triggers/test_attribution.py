"""Who made a drift, from what the services report; and two owners who fight over one field."""

from __future__ import annotations

import json
from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from benchmarks.estates import GROUP, SUBSCRIPTION
from emulator.arm.event_grid import CANARY as CLAIM
from reconciler.engine import Outcome, Result
from reconciler.engine.approving_plans import approve_plan
from reconciler.engine.sightings import of_organization, of_pool
from reconciler.service.http.message import HttpRequest
from reconciler.service.triggers import messages, timers, web
from tests.deployment import Deployment, spec

POOL, ORGANIZATION = "build-pool", "fabrikam-prime"
ACCESS = (
    "access:\n  roles:\n    - organization: fabrikam-prime\n      administrators: [ann@fabrikam.com]\n"
    "      exclusive: true\n"
)
FILE = spec(POOL) + ACCESS


class Story:
    """A pool in sync, whose events arrive when a test says so."""

    def __init__(self, deployment: Deployment, **given: str) -> None:
        self.deployment = deployment
        self.do = deployment.cloud.do
        deployment.commit(**{POOL: FILE})
        self.context = deployment.context(**given)
        self._seen = 0
        assert self.run().outcome is Outcome.APPLIED
        self.heard()

    def run(self, **options: Any) -> Result:
        """One run, by the newest commit."""
        specs = self.context.catalogue.specs(self.context.clock.now())
        spec, now = specs.by_key[POOL], self.context.clock.now()
        with self.context.worker.reconciler.look([spec], shared=False) as look:
            return look.reconcile(spec, specs.revision, specs_read=now, trigger="event", **options)

    def heard(self) -> None:
        """Every event since the last time arrives, one by one."""
        for one in self.do.events("", self._seen):
            self._seen = max(self._seen, one["sequence"])
            if one["source"] == "arm":
                messages.pool_changed(self.context, json.dumps(one["event"]))
            elif one["source"] == "audit":
                messages.devops_changed(self.context, json.dumps(one["event"]))

    def by_hand(self, what: str, **arguments: Any) -> None:
        self.do.edit(what, organization=ORGANIZATION, **{"by": "ann", **arguments})

    def newest(self) -> Any:
        """The newest write on record."""
        found = web.answer(self.context, "history", HttpRequest("GET", "/api/history", query={"pool": POOL}))
        return found.body["writes"][0]

    def plan(self) -> Any:
        request = HttpRequest("GET", f"/api/pools/{POOL}/plan", params={"name": POOL})
        return web.answer(self.context, "plan", request).body

    def stored(self) -> str:
        """Everything that is kept of who did what."""
        names = (of_organization(ORGANIZATION), of_pool(POOL))
        return json.dumps([one.body for name in names if (one := self.context.state.load(name)) is not None])


@pytest.fixture
def story(deployment: Deployment) -> Story:
    return Story(deployment)


def test_open_access_that_somebody_closed_is_by_them(story: Story) -> None:
    story.by_hand("close-access", pool=POOL, project="Web")
    story.heard()

    (remark,) = [one for one in story.plan()["remarks"] if one["facet"] == "open_access"]
    assert "open access: changed by ann@fabrikam.com (audit log, " in remark["message"]
    story.run()

    actor = story.newest()["actor"]
    assert (actor["confidence"], actor["name"], actor["kind"], actor["via"]) == (
        "by", "ann@fabrikam.com", "user", ["audit log"],
    )  # fmt: skip
    assert actor["network"] == "loopback"
    assert "127.0.0.1" not in story.stored(), "never the address"


def test_what_no_event_told_of_is_unknown_and_an_own_correction_is_nobody_elses(story: Story) -> None:
    story.by_hand("close-access", pool=POOL, project="Web")
    story.run()
    assert story.newest()["actor"] == {"confidence": "unknown"}

    story.heard()  # Ann's, and then the operator's own
    story.by_hand("close-access", pool=POOL, project="Web")
    story.run()
    assert story.newest()["actor"] == {"confidence": "unknown"}, "the newest that is known is the operator's own"


def test_a_role_is_probably_by_whoever_changed_the_access_list(story: Story) -> None:
    story.by_hand("add-identity", principal="zoe")
    story.by_hand("set-role", pool=POOL, who="zoe", role="Administrator")
    story.heard()

    story.run()

    newest = story.newest()
    assert (newest["action"], newest["cause"]) == ("remove", "drift")
    assert (newest["actor"]["confidence"], newest["actor"]["name"]) == ("probably by", "ann@fabrikam.com")


def test_an_authorization_says_itself_who_gave_it(deployment: Deployment) -> None:
    number = deployment.cloud.do.edit("create-pipeline", organization=ORGANIZATION, project="Web", name="nightly")
    listed = f"{ACCESS}  pipelines:\n    - {{ project: {ORGANIZATION}/Web, pipelines: [], exclusive: true }}\n"
    closed = f"  openAccess:\n    - {{ project: {ORGANIZATION}/Web, allow: false, reason: theirs }}\n"
    story = Story(deployment)
    deployment.commit(**{POOL: spec(POOL) + listed + closed})
    assert story.run().outcome is Outcome.APPLIED
    story.by_hand("authorize-pipeline", pool=POOL, project="Web", pipeline=number)

    story.run()  # without any event

    newest = story.newest()
    assert newest["action"] == "remove"
    assert (newest["actor"]["confidence"], newest["actor"]["via"]) == ("by", ["authorizedBy"])
    assert "ann" in newest["actor"]["name"].lower()


def test_what_the_spec_changed_is_nobodys_drift(story: Story) -> None:
    story.deployment.commit(**{POOL: spec(POOL, concurrency=3) + ACCESS})

    story.run()

    assert (story.newest()["cause"], story.newest()["actor"]) == ("pending", None)


def put_as(story: Story, who: str, concurrency: int) -> None:
    """Another identity writes the pool in ARM."""
    (pool,) = [one for sub in story.do.state()["subscriptions"] for one in sub["pools"] if one["name"] == POOL]
    properties = pool["properties"] | {"maximumConcurrency": concurrency}
    properties["organizationProfile"]["organizations"][0]["parallelism"] = concurrency
    body = {"location": pool["location"], "properties": properties}
    place = urlsplit(story.deployment.cloud.arm)
    headers = {"Authorization": f"Bearer arm-{who}", "Content-Type": "application/json"}
    path = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.DevOpsInfrastructure/pools/{POOL}"
    with closing(HTTPConnection(place.hostname or "", place.port or 0, timeout=30)) as connection:
        connection.request("PUT", f"{path}?api-version=2026-06-02", json.dumps(body), headers)
        answer = connection.getresponse()
        assert answer.status in (200, 201, 202), answer.read()
    story.do.settle()


@pytest.mark.parametrize("system", [True, False])
@pytest.mark.parametrize("event", [True, False])
def test_a_write_to_the_pool_is_by_whom_event_and_system_data_name(
    deployment: Deployment, system: bool, event: bool
) -> None:
    story = Story(deployment)
    story.do.switch("arm.system-data", system)
    put_as(story, "ann", 5)
    if event:
        story.heard()
    assert CLAIM not in story.stored()

    story.run()

    actor = story.newest()["actor"]
    assert story.newest()["what"] == "pool"
    via = [name for name, on in (("ARM event", event), ("systemData", system)) if on]
    if not via:
        assert actor == {"confidence": "unknown"}
        return
    assert actor["via"] == via
    assert "ann" in actor["name"].lower()
    assert actor["confidence"] == "probably by", "no write of its own is known before"


def test_without_names_only_ids_are_kept(deployment: Deployment) -> None:
    story = Story(deployment, NAMES="off")
    story.by_hand("close-access", pool=POOL, project="Web")
    story.heard()

    story.run()

    assert "ann" not in story.stored().lower().replace("channel", "")
    actor = story.newest()["actor"]
    assert actor["confidence"] == "by"
    assert "name" not in actor
    assert len(actor["id"]) == 36


def test_events_that_tell_nothing_new_write_nothing(story: Story) -> None:
    story.by_hand("close-access", pool=POOL, project="Web")
    story.heard()
    document = story.context.state.load(of_organization(ORGANIZATION))
    assert document is not None

    story._seen = 0
    story.heard()

    again = story.context.state.load(of_organization(ORGANIZATION))
    assert again is not None
    assert again.etag == document.etag


def test_the_polled_log_tells_who_as_the_stream_does(story: Story) -> None:
    timers.watch_audit(story.context)
    story.by_hand("close-access", pool=POOL, project="Api")
    timers.watch_audit(story.context)

    story.run()

    assert story.newest()["actor"]["name"] == "ann@fabrikam.com"


def fought(story: Story, times: int) -> Result:
    """Ann closes what the spec opens, again and again."""
    for _ in range(times):
        story.by_hand("close-access", pool=POOL, project="Web")
        story.heard()
        result = story.run()
        story.heard()
    return result


def test_what_one_other_owner_changes_back_three_times_is_quarantined_and_released_by_a_commit(
    story: Story, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "reconciler")
    assert fought(story, 3).outcome is Outcome.APPLIED
    assert len([one for one in caplog.records if '"event": "fight"' in one.message]) == 1

    held = fought(story, 1)

    assert held.outcome is Outcome.STALLED
    assert held.plan is not None
    ((rule, message),) = [(one.rule, one.message) for one in held.plan.refusals]
    assert rule == "fight"
    assert "ann@fabrikam.com changed it 3 times in 24 hours" in message
    assert f"{POOL}.yaml:" in message
    assert not story.deployment.is_open(POOL, "Web")
    story.deployment.close_access(POOL, "Api")
    story.run()
    assert story.deployment.is_open(POOL, "Api"), "other fields of the pool go on"
    assert len([one for one in caplog.records if '"event": "fight"' in one.message]) == 1, "said once"

    story.deployment.commit(**{POOL: "# agreed with ann\n" + FILE})
    story.run()
    assert story.deployment.is_open(POOL, "Web")


def test_an_approval_of_the_plan_releases_it_by_hand(story: Story) -> None:
    fought(story, 3)
    held = fought(story, 1)
    assert held.plan is not None
    parts = (story.context.approvals.planner, story.context.safety, story.context.state)
    specs = story.context.catalogue.specs()
    done = approve_plan(parts, [specs.by_key[POOL]], specs.snapshot, held.plan.hash, by="owner")
    assert done.plan.hash == held.plan.hash

    assert story.run().outcome is Outcome.APPLIED
    assert story.deployment.is_open(POOL, "Web")
    assert fought(story, 1).outcome is Outcome.APPLIED, "counting begins again"


def test_corrections_that_nobody_is_named_for_are_no_fight(story: Story) -> None:
    for _ in range(5):
        story.by_hand("close-access", pool=POOL, project="Web")
        assert story.run().outcome is Outcome.APPLIED
