"""The table of conditions by cause: the page shows it, and runs do what it says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler import errors
from reconciler.engine import Result, causes, load_status
from reconciler.engine.assessment import Assessment
from reconciler.engine.causes import Cause, NextRead, Occurrence
from reconciler.engine.ending import RETRY
from reconciler.engine.gate import Moment, WriteGate
from reconciler.engine.result import Failure
from reconciler.engine.status import REASONS, Condition, PoolStatus, Truth
from reconciler.engine.stored import Replacing
from reconciler.engine.tenure import RunLimits
from reconciler.engine.verdict import judge
from reconciler.errors import Forbidden, ReconcilerError, SpecInvalid, Unavailable
from reconciler.plan.model import Change, Plan, Risk
from reconciler.plan.policy import Window
from reconciler.ports.azure import Operation
from reconciler.safety import HoldKind, Modes, ModeScope, ModeSetting, WriteMode
from reconciler.spec.model import Mode
from tests.engine.stage import ORG, SPEC, Stage, converged
from tests.engine.test_verdict import BARRED, COMING, DARK, FLYING, HIDDEN, OPEN, REFUSAL, ended, plan
from tests.keeping import START
from tests.small_facets import DOORS

PAGE = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text()
LIMITS = RunLimits()
URL = "https://management.azure.com/operation"


def shown(cause: Cause) -> str:
    """A row as the page has it."""

    def condition(truth: Truth | bool, reason: str) -> str:
        name = "the error" if reason == causes.ERROR else f"`{reason}`"
        return f"{truth} {name}" if reason else f"{truth}"

    if cause.ready is None:
        cells = ["unchanged"] * 3
    else:
        cells = [
            condition(cause.ready, cause.reason),
            condition(bool(cause.reconciling), cause.reconciling),
            condition(cause.stalled, cause.reason if cause.stalled else ""),
        ]
    return f"| {' | '.join([cause.text, *cells, f'`{cause.outcome}`', cause.next_read])} |"


def test_the_page_shows_the_table() -> None:
    section = PAGE.split("## Conditions by cause", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][2:]

    assert rows == [shown(cause) for cause in causes.TABLE]


def test_the_table_holds_every_cause_once() -> None:
    known = [value for value in vars(causes).values() if isinstance(value, Cause)]

    assert sorted(map(shown, known)) == sorted(map(shown, causes.TABLE))
    assert len({cause.text for cause in causes.TABLE}) == len(causes.TABLE)


def test_no_reason_is_without_a_cause() -> None:
    words = {cause.reason for cause in causes.TABLE} | {cause.reconciling for cause in causes.TABLE}
    of_errors = {name for name in vars(errors) if name in REASONS}

    assert words - {"", causes.ERROR} == REASONS - of_errors | {"Refused", "Moved", "SpecInvalid"}


@pytest.mark.parametrize("cause", causes.TABLE, ids=lambda cause: cause.text)
def test_a_row_does_not_contradict_itself(cause: Cause) -> None:
    """What is read again without a request is reconciling, and what waits for an administrator is not."""
    reasons = {cause.reason, cause.reconciling} - {"", causes.ERROR}

    assert reasons <= REASONS
    waits = (NextRead.RESYNC, NextRead.LEASE, NextRead.ENDS, NextRead.OPENS)
    assert bool(cause.reconciling) is (cause.next_read not in waits)
    assert not (cause.stalled and cause.reconciling)
    assert not (cause.ready is Truth.TRUE and (cause.stalled or cause.reconciling))
    assert (cause.reason == "InSync") is (cause.ready is Truth.TRUE)


def failing(error: ReconcilerError, *, changes: tuple[Change, ...] = ()) -> Assessment:
    return replace(ended(plan(changes=changes)), failures={OPEN.id: Failure(OPEN, error)})


def report(*left: Plan) -> Assessment:
    return ended(*left, mode=Mode.REPORT)


def unreadable(error: ReconcilerError) -> WriteGate:
    return WriteGate(SPEC, Modes(ModeSetting(WriteMode.REPORT, "mode", unknown=error)))


def gated(gate: WriteGate, *left: Plan) -> Assessment:
    return replace(ended(*left), modes=gate, left_over=False)


STOPPED = Modes(organizations={ORG: ModeSetting(WriteMode.STOP, "set", ModeScope(organization=ORG))})
DELETED = Replacing("doors", "pool-1: x → y", "c0ffee", START)

NOW = Moment(START)
NIGHT = Window((Risk.WIDENS,), "0 22 * * *", "UTC", timedelta(hours=2))
ROOF = ModeScope(pool="pool-1", field=OPEN.facet)


def paused(scope: ModeScope) -> Modes:
    """Until 22 o'clock."""
    end = START.replace(hour=22)
    return Modes(pauses=(ModeSetting(WriteMode.REPORT, "set", scope, kind=HoldKind.PAUSE, until=end),))


ENDS: list[tuple[Cause, Assessment]] = [
    (causes.IN_SYNC, ended()),
    (causes.APPLIED, replace(ended(), verified=(OPEN,))),
    (causes.SAFETY_DAMAGED, gated(unreadable(Forbidden("403")))),
    (causes.SAFETY_UNREAD, gated(unreadable(Unavailable("503")))),
    (causes.HELD, gated(WriteGate(SPEC, STOPPED), plan(changes=(OPEN,)))),
    (causes.AWAITING, gated(WriteGate(SPEC, waiting=ModeSetting(WriteMode.APPROVED, "RECONCILER_MODE")))),
    (causes.REPORTED, report(plan(changes=(OPEN,)))),
    (causes.REFUSED, ended(plan(refusals=(REFUSAL,)))),
    (causes.WRITE_REJECTED, failing(Forbidden("403"))),
    (causes.READ_REJECTED, ended(plan(BARRED))),
    (causes.DEGRADED, ended(plan(HIDDEN))),
    (causes.OVERDUE, replace(ended(plan(COMING)), overdue={COMING.message: "overdue"})),
    (causes.REPLACING, replace(ended(plan(changes=(OPEN,))), left_over=False, replacing=DELETED)),
    (causes.WRITE_FAILED, failing(Unavailable("503"))),
    (causes.WRITE_FAILED, replace(ended(plan(changes=(OPEN,))), unverified={OPEN.id: 3})),
    (causes.READ_FAILED, ended(plan(DARK))),
    (causes.OPERATION, replace(ended(), pending=FLYING)),
    (causes.LEFT_TO_AZURE, replace(ended(plan(changes=(OPEN,))), waiting=(OPEN.id,))),
    (causes.BUDGET_USED, replace(ended(plan(changes=(OPEN,))), exhausted=True)),
    (causes.NOT_VISIBLE, replace(ended(plan(changes=(OPEN,))), unverified={OPEN.id: 1})),
    (causes.LEFT_OVER, ended(plan(changes=(OPEN,)))),
    (causes.PAUSED, gated(WriteGate(SPEC, paused(ModeScope(pool="pool-1")), now=NOW), plan(changes=(OPEN,)))),
    (causes.HELD_BY_PAUSE, gated(WriteGate(SPEC, paused(ModeScope(organization=ORG)), now=NOW), plan(changes=(OPEN,)))),
    (causes.HELD_BY_PAUSE, gated(WriteGate(SPEC, paused(ROOF), now=NOW), plan(changes=(OPEN,)))),
    (causes.OUTSIDE_WINDOW, gated(WriteGate(SPEC, now=replace(NOW, windows=(NIGHT,))), plan(changes=(OPEN,)))),
    (causes.MISSING, ended(plan(COMING))),
    (causes.MISSING_REPORTED, report(plan(COMING))),
    (causes.UNAPPROVED, replace(ended(plan(changes=(OPEN,))), left_over=False)),
]


def on_the_page(cause: Cause) -> list[str]:
    """Conditions, result and next read, as the page has them."""
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {cause.text} | ")]
    return [cell.strip() for cell in row.split("|")[2:-1]]


def matches(cells: list[str], conditions: Sequence[Condition], errors: set[str]) -> bool:
    """Whether the conditions are those of the page."""
    for cell, condition in zip(cells, conditions, strict=True):
        truth, _, reason = cell.partition(" ")
        reasons = errors if reason == "the error" else {reason.strip("`")} if reason else {condition.reason}
        if condition.status != truth or condition.reason not in reasons:
            return False
    return True


@pytest.mark.parametrize(("cause", "end"), ENDS, ids=[cause.text for cause, _ in ENDS])
def test_a_run_that_ends_with_one_cause_does_what_the_page_says(cause: Cause, end: Assessment) -> None:
    """Read from the page, not from the code: conditions, result, and when the pool is read again."""
    verdict = judge(end, LIMITS)
    *cells, outcome, next_read = on_the_page(cause)

    status = PoolStatus("pool-1").found(verdict.finding, START)
    errors = {failure.error.reason for failure in end.all_failures(LIMITS)} | {gap.reason for gap in end.plan.gaps}
    errors |= {error.reason for error in end.gate.unreadable()}
    assert matches(cells, status.conditions, errors)
    assert outcome == f"`{verdict.outcome}`"
    seconds: dict[str, float | None] = {
        NextRead.RESYNC: None, NextRead.OPERATION: FLYING.retry_after, NextRead.WAIT_ONCE: LIMITS.wait_once,
        NextRead.LAG: LIMITS.lag, NextRead.NOW: 0.0, NextRead.ENDS: None, NextRead.OPENS: None,
    }  # fmt: skip
    if next_read == NextRead.BACKOFF:
        assert verdict.next_look is not None
        assert verdict.next_look >= max((gap.retry_after or 0.0 for gap in end.plan.gaps), default=0.0)
    else:
        assert verdict.next_look == seconds[next_read]
    assert (verdict.due is not None) is (next_read in (NextRead.ENDS, NextRead.OPENS))


def invalid() -> tuple[Stage, Result]:
    def refuse(*_: object) -> None:
        raise SpecInvalid("pools/pool-1.yaml:3: tags: no")

    stage = converged(facets=[replace(DOORS, parse=refuse)])
    return stage, stage.run()


def in_flight(state: Operation | ReconcilerError) -> tuple[Stage, Result]:
    stage, spec = converged(), replace(SPEC, body={"tags": {"a": "b"}})
    stage.estate.pending = URL
    stage.run(spec)
    if isinstance(state, Operation):
        stage.estate.operations[URL] = state
    else:
        stage.fail("operation", state)
    return stage, stage.run(spec)


def lease_held() -> tuple[Stage, Result]:
    stage = converged()
    stage.desk.held.add(SPEC.key)
    return stage, stage.run()


@pytest.mark.parametrize(
    ("cause", "run", "seconds"),
    [
        (causes.INVALID, invalid, None),
        (causes.OPERATION, lambda: in_flight(Operation("running", retry_after=9.0)), 9.0),
        (causes.OPERATION_UNREAD, lambda: in_flight(Unavailable("503", retry_after=60.0)), 60.0),
        (causes.LEASE_HELD, lease_held, RETRY),
    ],
    ids=lambda value: value.text if isinstance(value, Cause) else "",
)
def test_a_run_that_does_not_plan_does_what_the_page_says(
    cause: Cause, run: Callable[[], tuple[Stage, Result]], seconds: float | None
) -> None:
    stage, result = run()
    *cells, outcome, _ = on_the_page(cause)

    assert (outcome, result.next_look) == (f"`{result.outcome}`", seconds)
    if cause.ready is None:
        assert stage.shelf.load(f"pools/{SPEC.key}") is None
    else:
        assert matches(cells, result.status.conditions, {failure.error.reason for failure in result.failures})


def test_a_run_that_dies_while_it_writes_leaves_what_the_page_says() -> None:
    stage = converged()
    stage.estate.open.clear()
    meanwhile: list[Sequence[Condition]] = []

    def dies(called: str, _args: tuple[object, ...]) -> None:
        if called == "open access":
            meanwhile.append(load_status(stage.shelf, SPEC.key).conditions)
            raise ZeroDivisionError

    stage.estate.before = dies
    with pytest.raises(ZeroDivisionError):
        stage.run()

    assert matches(on_the_page(causes.BEGUN)[:3], meanwhile[0], set()), "a process that is killed leaves this"
    assert matches(on_the_page(causes.INTERRUPTED)[:3], load_status(stage.shelf, SPEC.key).conditions, set())


def test_the_texts_of_the_table_name_the_limits_as_they_are() -> None:
    assert NextRead.WAIT_ONCE.endswith(f"({LIMITS.wait_once:.0f} s)")
    assert NextRead.LAG.endswith(f"({LIMITS.lag:.0f} s)")
    assert NextRead.LEASE.endswith(f" {RETRY:.0f} s")


def test_what_goes_on_leads_the_reconciling_condition_and_what_stalls_leads_ready() -> None:
    stuck, retried = Occurrence(causes.DEGRADED, "hidden"), Occurrence(causes.READ_FAILED, "503", "Unavailable")
    moving = Occurrence(causes.OPERATION, "in flight", retry_after=9.0)

    finding = causes.finding([stuck, retried], [moving])

    assert (finding.reason, finding.in_motion, finding.stalled) == ("Degraded", "Progressing", "Degraded")
    assert (finding.message, finding.stalled_message) == ("hidden; 503", "hidden")


def test_what_is_unknown_is_false_once_something_is_known_to_differ() -> None:
    unread = Occurrence(causes.READ_FAILED, "503", "Unavailable")

    assert causes.finding([unread]).ready is Truth.UNKNOWN
    assert causes.finding([unread], differs=True).ready is Truth.FALSE
