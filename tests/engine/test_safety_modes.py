"""Modes of the deployment's owner: what is written, what is held back, and how soon a stop acts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from reconciler.engine import Outcome, Result
from reconciler.engine.status import ConditionKind, Truth
from reconciler.errors import Unavailable
from reconciler.plan.policy import Policy
from reconciler.ports.azure import Operation
from reconciler.safety import ModeScope, Safety, WriteMode
from reconciler.spec.loader import load
from reconciler.spec.model import Mode, Organization, Spec
from tests.engine.stage import ORG, OTHER, SPEC, GuardedStage, condition, second_run_writes_nothing

ALL = ModeScope()
URL = "https://management.azure.com/operations/1"


@dataclass
class Governed(GuardedStage):
    """A stage with a safety store."""

    service: bool = False

    @property
    def safety(self) -> Safety:
        return Safety(self.safe, self.clock, service=self.service)

    def set(self, mode: WriteMode | None, scope: ModeScope = ALL) -> None:
        self.safety.set_mode(scope, mode, reason="incident 7", by="ann")


def governed(projects: int = 3, *, service: bool = False) -> Governed:
    """Converged but for open access, in two organizations."""
    stage = Governed(service=service)
    stage.estate.add(ORG, 1, projects)
    stage.estate.add(OTHER, 1, projects)
    stage.estate.arm[SPEC.pool_id.casefold()] = {"id": SPEC.pool_id, "tags": {}}
    stage.estate.open.clear()
    if not service:
        stage.safety.create()
    return stage


BOTH = replace(
    SPEC, organizations=(*SPEC.organizations, Organization(OTHER, "pool-1", (), open_access=True)), lines=lambda _: 4
)
NOT_APPLIED = "not applied: mode {} (set 2026-06-01T12:00:00Z by ann): incident 7"


def ready(result: Result) -> tuple[Truth, str, str]:
    found = condition(result, ConditionKind.READY)
    return found.status, found.reason, found.message


@pytest.mark.parametrize("mode", [WriteMode.STOP, WriteMode.REPORT])
def test_a_mode_without_writes_is_the_same_for_every_run(mode: WriteMode) -> None:
    stage = governed()
    stage.set(mode)

    result = stage.run(BOTH)

    assert (result.outcome, result.next_look, stage.estate.writes) == (Outcome.OUT_OF_SYNC, None, [])
    assert [text.partition(" (")[0] for text in result.not_applied] == [f"not applied: mode {mode}"]
    assert ready(result)[2].startswith("6 changes: 6 granting access; not applied: mode ")
    assert ready(result)[2].endswith("by ann): incident 7")
    assert ready(stage.run(BOTH)) == ready(result)
    stage.set(WriteMode.ENFORCE)
    assert stage.run(BOTH).outcome is Outcome.APPLIED
    second_run_writes_nothing(stage, BOTH)


def test_an_approved_plan_is_not_written_in_a_stop_either() -> None:
    stage = governed()
    stage.set(WriteMode.STOP)

    result = stage.run(BOTH, plan_hash=stage.plan(BOTH).hash)

    assert (result.outcome, stage.estate.writes) == (Outcome.OUT_OF_SYNC, [])


def test_a_service_with_a_new_store_reports() -> None:
    stage = governed(service=True)

    result = stage.run(BOTH)
    assert (result.outcome, stage.estate.writes) == (Outcome.OUT_OF_SYNC, [])
    assert "the safety store is new" in result.not_applied[0]
    stage.safety.create()
    assert "no mode is set in the safety store" in stage.run(BOTH).not_applied[0]
    stage.set(WriteMode.ENFORCE)
    assert stage.run(BOTH).outcome is Outcome.APPLIED


def test_a_spec_in_report_mode_names_its_line() -> None:
    result = governed().run(replace(BOTH, mode=Mode.REPORT))

    assert result.not_applied == ("not applied: mode report (pools/pool-1.yaml:4)",)


def test_a_stop_acts_within_one_write() -> None:
    """It is set while the run writes: by another process, which only writes the store."""
    stage = governed()
    stage.set(WriteMode.ENFORCE)
    stop_at(stage, lambda: stage.set(WriteMode.STOP))

    result = stage.run(BOTH)

    assert len(stage.estate.writes) == 1
    assert result.outcome is Outcome.OUT_OF_SYNC
    assert len(result.verified) == 1
    assert result.not_applied[0].startswith("not applied: mode stop (set ")


def stop_at(stage: Governed, stop: Callable[[], None]) -> None:
    """Call `stop` while the first write of open access is under way."""
    before = stage.estate.before

    def hook(called: str, args: tuple[object, ...]) -> None:
        before(called, args)
        if called == "open access":
            stop()

    stage.estate.before = hook


def test_a_stopped_organization_stops_no_other() -> None:
    stage = governed()
    stage.set(WriteMode.STOP, ModeScope(organization=ORG))

    result = stage.run(BOTH)

    assert {write[1] for write in stage.estate.writes} == {OTHER}
    assert (result.outcome, result.next_look) == (Outcome.OUT_OF_SYNC, None)
    assert ready(result)[2].startswith(f"not applied: mode stop of organization {ORG} (set ")
    assert ready(result)[2].endswith(": 3 changes")
    stage.estate.writes.clear()
    assert ready(stage.run(BOTH)) == ready(result)
    assert stage.estate.writes == []


def test_a_stopped_organization_keeps_the_pool_of_all_as_it_is() -> None:
    """A write to the ARM resource reaches every organization that it lists."""
    stage = governed()
    spec = replace(BOTH, body={"tags": {"a": "b"}})
    stage.set(WriteMode.STOP, ModeScope(organization=OTHER))

    stage.run(spec)
    assert {write[1] for write in stage.estate.writes} == {ORG}
    stage.set(None, ModeScope(organization=OTHER))
    assert stage.settle(spec).outcome is Outcome.APPLIED


def test_a_stopped_pool_stops_no_other() -> None:
    stage = governed()
    stage.set(WriteMode.STOP, ModeScope(pool="Pool-1"))
    assert stage.run(BOTH).outcome is Outcome.OUT_OF_SYNC
    stage.set(WriteMode.STOP, ModeScope(pool="another"))
    stage.set(None, ModeScope(pool="pool-1"))
    assert stage.run(BOTH).outcome is Outcome.APPLIED


def test_an_unreadable_store_is_one_finding_and_no_write() -> None:
    stage = governed()
    stage.set(WriteMode.ENFORCE)
    stage.safe.fail = Unavailable("safety store: 503")

    result = stage.run(BOTH)

    assert stage.estate.writes == []
    assert ready(result) == (Truth.FALSE, "Unavailable", "nothing is written: safety store: 503")
    assert result.plan is not None
    assert len(result.plan.changes) == 6, "reading goes on"
    assert result.next_look is not None
    stage.safe.fail = None
    assert stage.run(BOTH).outcome is Outcome.APPLIED


def test_an_indexed_document_that_is_missing_blocks_what_it_governs() -> None:
    stage = governed()
    stage.set(WriteMode.ENFORCE)
    stage.set(WriteMode.ENFORCE, ModeScope(organization=ORG))
    del stage.safe.documents[f"mode/organizations/{ORG}"]

    result = stage.run(BOTH)

    assert {write[1] for write in stage.estate.writes} == {OTHER}
    assert (result.outcome, result.next_look) == (Outcome.STALLED, None)
    assert ready(result)[2].startswith(f"nothing is written: safety store: the document mode/organizations/{ORG} is")


def test_a_store_that_fails_during_a_run_ends_its_writes() -> None:
    stage = governed()
    stage.set(WriteMode.ENFORCE)

    def fail() -> None:
        stage.safe.fail = Unavailable("safety store: 503")

    stop_at(stage, fail)
    stage.run(BOTH)
    assert len(stage.estate.writes) == 1


@pytest.mark.parametrize("mode", [WriteMode.STOP, WriteMode.REPORT, WriteMode.APPROVED])
@pytest.mark.parametrize("ended", [Operation("succeeded"), Operation("failed", "QuotaExceeded", "none left")])
def test_an_operation_in_flight_goes_on_in_a_stop_and_nothing_follows_it(mode: WriteMode, ended: Operation) -> None:
    """Azure has accepted it. Its end is read, and what comes after it waits until the mode lets it."""
    stage = governed()
    stage.set(WriteMode.ENFORCE)
    spec = replace(BOTH, body={"tags": {"team": "build"}})
    stage.estate.pending = URL
    assert stage.run(spec).pending is not None
    stage.estate.pending = ""
    stage.set(mode)
    stage.estate.writes.clear()

    stage.estate.operations[URL] = Operation("running", retry_after=20.0)
    running = stage.run(spec)
    stage.estate.operations[URL] = ended
    over = stage.run(spec)

    assert (running.outcome, running.pending is not None) == (Outcome.PROGRESSING, True)
    assert (over.pending, over.status.pending, stage.estate.writes) == (None, None, [])
    assert over.not_applied[0].startswith(f"not applied: mode {mode}")
    stage.set(WriteMode.ENFORCE)
    stage.settle(spec)
    second_run_writes_nothing(stage, spec)


TEXT = """\
apiVersion: reconciler/v1
kind: ManagedDevOpsPool
name: pool-1
subscription: 11111111-2222-3333-4444-555555555555
resourceGroup: rg-build
pool:
  location: westeurope
  properties:
    organizationProfile:
      kind: AzureDevOps
      organizations:
        - url: https://dev.azure.com/fabrikam-prime
          alias: pool-1
          openAccess: OPEN
          projects: []
"""


def spec_of(text: str) -> Spec:
    (spec,) = load({"pools/pool-1.yaml": text.encode()}).specs
    return spec


OPEN, CLOSED = TEXT.replace("OPEN", "true"), TEXT.replace("OPEN", "false")


def approve(stage: Governed, text: str) -> None:
    spec = spec_of(text)
    stage.safety.approve_spec(spec.key, blob=spec.blob, path=spec.path, text=text, by="ann")


def test_without_an_approval_nothing_is_written_in_mode_approved() -> None:
    stage = governed()
    stage.set(WriteMode.APPROVED)

    result = stage.run(spec_of(OPEN))

    assert (result.outcome, stage.estate.writes) == (Outcome.OUT_OF_SYNC, [])
    assert result.not_applied[0].endswith("this spec is not approved")


def test_drift_from_the_approved_spec_is_corrected_at_once() -> None:
    stage = governed()
    stage.set(WriteMode.APPROVED)
    approve(stage, OPEN)

    assert stage.run(spec_of(OPEN)).outcome is Outcome.APPLIED
    second_run_writes_nothing(stage, spec_of(OPEN))
    stage.estate.open.discard(1001)
    assert stage.run(spec_of(OPEN)).outcome is Outcome.APPLIED
    assert 1001 in stage.estate.open


def test_another_spec_waits_while_drift_from_the_approved_one_is_corrected() -> None:
    stage = governed()
    stage.set(WriteMode.APPROVED)
    approve(stage, OPEN)

    result = stage.run(spec_of(CLOSED))
    assert stage.estate.open >= {1001, 2001, 3001}
    assert result.outcome is Outcome.OUT_OF_SYNC
    assert ready(result)[2].endswith("the spec in git is not approved; drift from the approved one is corrected")
    stage.estate.writes.clear()
    assert stage.run(spec_of(CLOSED)).outcome is Outcome.OUT_OF_SYNC
    assert stage.estate.writes == []
    approve(stage, CLOSED)
    assert stage.settle(spec_of(CLOSED)).outcome is Outcome.APPLIED
    assert 1001 not in stage.estate.open


def test_a_byte_order_mark_is_no_other_spec() -> None:
    """The approved text is stored without it; its id is that of the file."""
    stage = governed()
    stage.set(WriteMode.APPROVED)
    (marked,) = load({"pools/pool-1.yaml": b"\xef\xbb\xbf" + OPEN.encode()}).specs
    stage.safety.approve_spec(marked.key, blob=marked.blob, path=marked.path, text=OPEN, by="ann")
    assert marked.blob != spec_of(OPEN).blob

    stage.run(spec_of(CLOSED))

    assert stage.estate.open >= {1001, 2001, 3001}, "drift from the approved one is corrected"


def test_a_report_mode_in_git_holds_back_the_approved_spec_too() -> None:
    """The author of the spec stops writing without an approval: of all settings the strictest counts."""
    stage = governed()
    stage.set(WriteMode.APPROVED)
    approve(stage, OPEN)
    reported = spec_of(OPEN.replace("pool:\n", "mode: report\npool:\n", 1))

    result = stage.run(reported)

    assert (result.outcome, stage.estate.writes) == (Outcome.OUT_OF_SYNC, [])
    assert "not applied: mode report (pools/pool-1.yaml:6)" in result.not_applied
    assert stage.run(spec_of(OPEN)).outcome is Outcome.APPLIED


def test_an_organization_may_ask_for_approvals_on_its_own() -> None:
    stage = governed()
    stage.set(WriteMode.ENFORCE)
    stage.set(WriteMode.APPROVED, ModeScope(organization=ORG))
    assert stage.run(spec_of(OPEN)).outcome is Outcome.OUT_OF_SYNC
    assert stage.estate.writes == []


def test_an_approval_that_cannot_be_read_is_none() -> None:
    stage = governed()
    stage.set(WriteMode.APPROVED)
    approve(stage, OPEN)
    del stage.safe.documents["approvals/pool-1"]

    result = stage.run(spec_of(OPEN))
    assert (result.outcome, stage.estate.writes) == (Outcome.STALLED, [])
    assert "approvals/pool-1 is missing" in ready(result)[2]


def test_the_digest_of_a_spec_does_not_depend_on_its_place_in_the_file() -> None:
    """Else an upgrade, or a comment, would turn drift into pending."""
    stage = governed()
    stage.run(spec_of(OPEN))
    stage.estate.open.discard(1001)
    result = stage.run(replace(spec_of(OPEN), mode=Mode.REPORT, lines=lambda _: 9, blob="x"))
    assert ready(result)[2].startswith("drift: 1 change")


def test_the_owner_may_loosen_nothing_that_the_policy_forbids() -> None:
    stage = governed()
    stage.policy = Policy(organizations=("other",))
    stage.set(WriteMode.ENFORCE)
    assert stage.run(BOTH).outcome is Outcome.STALLED
    assert stage.estate.writes == []
