"""The gate alone: which settings hold what back, and what is said of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from reconciler.engine.gate import Moment, WriteGate, annotated, approved_mode, gate_now, gate_of, goes_out, pauses_of
from reconciler.engine.status import PoolStatus
from reconciler.engine.stored import Replacing
from reconciler.errors import Forbidden, Unavailable
from reconciler.plan.model import Change, Detail, Plan, Refusal
from reconciler.plan.policy import Policy, Window
from reconciler.plan.targets import OpenAccess, QueuePlace, ReplacePool, Risk, UpdatePool
from reconciler.safety import HoldKind, Modes, ModeScope, ModeSetting, SafetyFacts, Unknown, WriteMode
from reconciler.safety.approvals import Approvals, ApprovedSpec
from reconciler.safety.undone import Undone, UndoneField
from reconciler.spec.model import Mode, Organization, SpecPause
from tests.engine.stage import ORG, OTHER, SPEC, converged
from tests.engine.test_safety_modes import OPEN as TEXT
from tests.keeping import START

POOL = ModeScope(pool=SPEC.key)
BOTH = replace(SPEC, organizations=(*SPEC.organizations, Organization(OTHER, "pool-1", (), open_access=True)))
NOW = Moment(START)


def opening(organization: str = ORG, project: str = "web") -> Change:
    place = QueuePlace(organization, f"id-{project}", project, 7, 1)
    return Change("doors", "open access", f"{organization}/{project}", None, "x", OpenAccess(place, allow=True))


def update(*paths: str) -> Change:
    lines = tuple(Detail(path, 1, 2, Risk.NARROWS) for path in paths)
    return Change("pool", "pool", "pool-1", None, None, UpdatePool(SPEC.pool_id, {}), lines)


def set_to(mode: WriteMode, place: str = "store", *, unknown: Exception | None = None, **scope: str) -> ModeSetting:
    return ModeSetting(mode, place, ModeScope(**scope), unknown=unknown)  # type: ignore[arg-type]


def of_organization(name: str, mode: WriteMode) -> Modes:
    return Modes(organizations={name: set_to(mode, organization=name)})


# --- pauses of the spec ------------------------------------------------------------------------------------------


def test_a_spec_pauses_its_pool_or_fields_of_it_to_the_end_of_a_day_in_utc() -> None:
    east = timezone(timedelta(hours=2))
    spec = replace(
        SPEC,
        mode=Mode.PAUSE, until=date(2026, 6, 2), reason="moving", lines=lambda _: 4,
        pauses=(SpecPause(("tags", "roles"), date(2026, 6, 1), "why"),),
    )  # fmt: skip
    end = {day: datetime(2026, 6, day, tzinfo=UTC) for day in (2, 3)}
    whole = ModeSetting(
        WriteMode.REPORT, "pools/pool-1.yaml:4", POOL, "moving", kind=HoldKind.PAUSE, until=end[3]
    )  # fmt: skip
    fields = [
        ModeSetting(
            WriteMode.REPORT, "pools/pool-1.yaml", replace(POOL, field=name), "why", kind=HoldKind.PAUSE, until=end[2]
        )
        for name in ("tags", "roles")
    ]

    assert pauses_of(spec, START) == [whole, *fields]
    assert pauses_of(spec, datetime(2026, 6, 2, 1, tzinfo=east)) == [whole, *fields], "it is the first in UTC"
    assert pauses_of(spec, datetime(2026, 6, 3, 1, tzinfo=east)) == [whole]
    assert pauses_of(spec, datetime(2026, 6, 3, tzinfo=UTC)) == []
    assert pauses_of(replace(spec, pauses=(), lines=SPEC.lines), START) == [replace(whole, place="pools/pool-1.yaml")]


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clock shows another time zone."""
    monkeypatch.setenv("TZ", "UTC-14")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_east")
def test_the_time_zone_of_the_machine_ends_no_pause() -> None:
    spec = replace(SPEC, pauses=(SpecPause(("tags",), date(2026, 6, 1), "why"),))

    assert len(pauses_of(spec, START)) == 1
    assert WriteGate(spec, now=NOW).held(update("tags.a")) is not None
    assert WriteGate(replace(SPEC, mode=Mode.PAUSE, until=date(2026, 6, 1)), now=NOW).closed is not None


def test_a_paused_field_is_that_of_either_spec_by_the_day_in_utc() -> None:
    paused = replace(SPEC, pauses=(SpecPause(("tags",), date(2026, 6, 1), "why"),))
    late = datetime(2026, 6, 2, 1, tzinfo=timezone(timedelta(hours=2)))

    for gate in (WriteGate(paused, now=NOW), WriteGate(SPEC, git=paused, now=NOW)):
        held = gate.held(update("tags.a"))
        assert held is not None
        assert str(held) == "tags of pool pool-1 paused until 2026-06-02T00:00:00Z (pools/pool-1.yaml): why"
        assert gate.held(update("maximumConcurrency")) is None
        assert gate.at(late).held(update("tags.a")) is not None
        assert gate.at(late + timedelta(hours=2)).held(update("tags.a")) is None


def test_a_gate_knows_the_clock_the_policy_and_a_pool_that_is_made_again() -> None:
    stage = converged()
    windows = (Window((Risk.WIDENS,), "0 22 * * *", "UTC", timedelta(hours=2), 7),)
    stage.policy = Policy(windows=windows)
    planner = stage.planner
    replacing = PoolStatus("pool-1", replacing=Replacing("pool", "pool-1", "c0ffee", START))

    for status, recreating in ((None, False), (PoolStatus("pool-1"), False), (replacing, True)):
        now = gate_now(planner, SPEC, SafetyFacts(), status).now
        assert now == Moment(START, windows, planner.policy_digest, recreating)


# --- modes of organizations ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "held"),
    [
        (opening(OTHER), True),
        (opening(ORG), False),
        (update("tags"), True),
        (update("organizationProfile.organizations[fabrikam-tailspin]"), True),
    ],
)
def test_an_organization_is_not_written_by_what_reaches_it(change: Change, held: bool) -> None:
    gate = WriteGate(BOTH, of_organization(OTHER, WriteMode.REPORT), now=NOW)

    assert (gate.held(change) is not None) is held


@pytest.mark.parametrize(
    ("path", "held"),
    [
        ("organizationProfile.organizations[Fabrikam-Gone]", True),
        ("organizationProfile.organizations[fabrikam-gone].projects", True),
        ("tags.organizationProfile.organizations[fabrikam-gone]", False),
        ("organizationProfile.organizations[fabrikam-other]", False),
        ("tags", False),
    ],
)
@pytest.mark.parametrize("mode", [WriteMode.REPORT, WriteMode.APPROVED])
def test_an_organization_that_leaves_the_spec_is_asked_too(path: str, held: bool, mode: WriteMode) -> None:
    gate = WriteGate(SPEC, of_organization("fabrikam-gone", mode), now=NOW)

    found = gate.held(update("maximumConcurrency", path))
    assert (found is not None) is held
    if found is not None:
        assert (found.mode, found.scope.organization) == (mode, "fabrikam-gone")
    assert gate.held(opening()) is None


def test_where_an_organization_asks_for_an_approved_spec_an_approved_one_is_written() -> None:
    spec = replace(SPEC, blob="b1")
    asks = of_organization("fabrikam-gone", WriteMode.APPROVED)
    leaving = update("organizationProfile.organizations[fabrikam-gone]")

    assert WriteGate(spec, asks, approved("b1"), now=NOW).held(leaving) is None
    held = WriteGate(spec, asks, approved("b2"), now=NOW).held(leaving)
    assert held is not None
    assert held.reason == "this spec is not approved"


# --- what cannot be read -------------------------------------------------------------------------------------------


def test_what_cannot_be_read_is_told_once_each_in_order() -> None:
    gone, dark = Forbidden("a: 403"), Unavailable("b: 503")
    modes = Modes(
        deployment=set_to(WriteMode.REPORT, unknown=dark),
        pool=set_to(WriteMode.REPORT, unknown=gone, pool=SPEC.key),
        organizations={ORG: set_to(WriteMode.REPORT, unknown=gone, organization=ORG)},
    )

    assert WriteGate(SPEC, modes).unreadable() == (gone, dark)
    assert WriteGate(SPEC, Modes(organizations=modes.organizations)).unreadable() == (gone,)
    assert WriteGate(SPEC, Modes(deployment=modes.deployment)).unreadable() == (dark,)
    assert WriteGate(SPEC).unreadable() == ()


def test_approvals_and_undone_values_that_cannot_be_read_hold_what_depends_on_them() -> None:
    asks = Modes(deployment=set_to(WriteMode.APPROVED))
    unread = WriteGate(SPEC, asks, Unknown("approvals: 503"), now=NOW)
    undone = WriteGate(SPEC, undone=Unknown("undone: 503"), now=NOW)

    held, other = unread.held(opening()), undone.held(opening())
    assert held is not None
    assert other is not None
    assert (held.mode, str(held.unknown)) == (WriteMode.APPROVED, "approvals: 503")
    assert [str(one) for one in unread.unreadable()] == ["approvals: 503"]
    assert (other.mode, other.place, str(other)) == (WriteMode.REPORT, "what was undone", "undone: 503")
    assert WriteGate(SPEC, undone=Undone(), now=NOW).held(opening()) is None


# --- the approved spec --------------------------------------------------------------------------------------------


def approved(blob: str, text: str = TEXT, path: str = "pools/pool-1.yaml") -> Approvals:
    return Approvals(ApprovedSpec(blob, path, text, "ann", "2026-06-01T12:00:00Z"))


UNDONE = Undone({"a field": UndoneField(1, "r1", "ann", "today")})


def facts(approvals: Approvals | Unknown, *, mode: WriteMode = WriteMode.APPROVED) -> SafetyFacts:
    return SafetyFacts(Modes(deployment=set_to(mode)), approvals=approvals, undone=UNDONE)


def test_in_mode_approved_the_approved_spec_is_applied_while_another_waits() -> None:
    spec = replace(SPEC, blob="new")

    gate = gate_of(spec, facts(approved("old")), NOW)

    assert (gate.spec.key, gate.spec.pool_id, gate.spec.blob) == (spec.key, spec.pool_id, "old")
    assert (gate.git, gate.now, gate.undone) == (spec, NOW, UNDONE)
    assert gate.approvals == approved("old")
    assert gate.waiting is not None
    assert gate.waiting.mode is WriteMode.APPROVED
    assert gate.waiting.reason == "the spec in git is not approved; drift from the approved one is corrected"
    assert gate.closed is None


@pytest.mark.parametrize(
    ("given", "closed"),
    [
        (facts(approved("new")), False),
        (facts(Approvals()), True),
        (facts(Unknown("503")), True),
        (facts(approved("old", TEXT.replace("pool-1", "pool-2"))), True),
        (facts(approved("old", TEXT.replace("rg-build", "rg-other"))), True),
        (facts(approved("old", ": no spec")), True),
        (facts(approved("old"), mode=WriteMode.ENFORCE), False),
    ],
)
def test_without_another_approved_spec_of_this_pool_the_one_in_git_counts(given: SafetyFacts, closed: bool) -> None:
    spec = replace(SPEC, blob="new")

    gate = gate_of(spec, given, NOW)

    assert (gate.spec, gate.waiting, gate.git) == (spec, None, None)
    assert (gate.modes, gate.approvals, gate.undone, gate.now) == (given.modes, given.approvals, given.undone, NOW)
    assert (gate.closed is not None) is closed


def test_an_approved_spec_without_a_path_is_read_as_that_of_the_spec() -> None:
    assert gate_of(replace(SPEC, blob="new"), facts(approved("old", path="")), NOW).spec.blob == "old"


def test_a_spec_of_unknown_content_is_not_approved_by_an_empty_name() -> None:
    gate = gate_of(SPEC, facts(Approvals(ApprovedSpec("", "", "x", "ann", ""))), NOW)

    assert gate.closed is not None


def test_any_setting_may_ask_for_an_approved_spec_where_no_stricter_one_counts() -> None:
    asks = set_to(WriteMode.APPROVED, "pool")

    assert approved_mode(SPEC, Modes(pool=asks)) == asks
    assert approved_mode(SPEC, of_organization(ORG, WriteMode.APPROVED)) is not None
    assert approved_mode(SPEC, of_organization(OTHER, WriteMode.APPROVED)) is None, "the spec does not use it"
    assert approved_mode(SPEC, Modes(deployment=set_to(WriteMode.STOP), pool=asks)) is None
    assert approved_mode(SPEC, Modes()) is None


# --- what is said -------------------------------------------------------------------------------------------------


def test_a_plan_names_each_setting_that_holds_it_once() -> None:
    gate = WriteGate(BOTH, of_organization(OTHER, WriteMode.REPORT), now=NOW)
    held = [opening(OTHER, "a"), opening(OTHER, "b")]
    text = f"not applied: mode report of organization {OTHER} (store)"

    plan = annotated(Plan("pool-1", "c0ffee", (*held, opening(ORG))), gate)
    assert (plan.not_applied, plan.checked) == ((text,), True)
    assert [goes_out(gate, one, plan) for one in plan.changes] == [False, False, True]
    assert annotated(plan, gate, checked=False).checked is False
    assert annotated(Plan("pool-1", "c0ffee", (opening(ORG),)), gate).not_applied == ()


def test_a_spec_that_asks_for_reports_alone_closes_its_gate_with_its_reason() -> None:
    spec = replace(SPEC, mode=Mode.REPORT, reason="moving", lines=lambda _: 4)

    assert WriteGate(spec, now=NOW).closed == ModeSetting(
        WriteMode.REPORT, "pools/pool-1.yaml:4", ModeScope(), "moving"
    )
    assert WriteGate(SPEC, now=NOW).closed is None
    assert WriteGate(SPEC, git=spec, now=NOW).closed is not None, "the other spec of the pool counts as well"


def test_a_plan_with_nothing_to_write_names_no_mode() -> None:
    shut = WriteGate(SPEC, Modes(deployment=set_to(WriteMode.STOP, "VAR")), now=NOW)

    assert annotated(Plan("pool-1", "c0ffee"), shut).not_applied == ()
    assert annotated(Plan("pool-1", "c0ffee", (opening(),)), shut).not_applied == ("not applied: mode stop (VAR)",)
    refused = Plan("pool-1", "c0ffee", refusals=(Refusal(opening(), "some-rule", "no"),))
    assert annotated(refused, shut).not_applied == ("not applied: mode stop (VAR)",)


def test_a_plan_that_replaces_a_pool_names_what_holds_back_its_creation() -> None:
    replaced = Change("pool", "pool", "pool-1", "a", "b", ReplacePool(SPEC.pool_id, {}, ("location",)))
    gate = WriteGate(SPEC, of_organization(OTHER, WriteMode.REPORT), now=NOW)
    assert annotated(Plan("pool-1", "c0ffee", (replaced,), following=(opening(OTHER),)), gate).not_applied == (
        f"not applied: mode report of organization {OTHER} (store)",
    )


def test_a_pause_of_the_spec_says_what_it_is_about() -> None:
    whole = WriteGate(replace(SPEC, mode=Mode.PAUSE, reason="moving"), now=NOW).closed
    field = WriteGate(replace(SPEC, pauses=(SpecPause(("tags",), None, "moving"),)), now=NOW).held(update("tags.a"))

    assert str(whole).startswith("paused (pools/pool-1.yaml")
    assert str(field).startswith("tags of pool pool-1 paused (pools/pool-1.yaml")
