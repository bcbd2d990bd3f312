"""What people are told: by hand, and as properties of every sequence of runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.notice_state import LASTS, NoticeState
from reconciler.engine.notices import MOST, RunFindings, beginning, noticed, with_finding
from reconciler.engine.status import OUTSIDE_WINDOW, Finding, PoolStatus, Truth
from reconciler.plan.model import FIGHT, Change, Refusal
from reconciler.plan.sync import SyncCause
from reconciler.plan.targets import OpenAccess, QueuePlace
from reconciler.ports.notices import NoticeKind

DRIFT = SyncCause.DRIFT
START = datetime(2026, 11, 29, 12, tzinfo=UTC)
EVE = {"confidence": "probably by", "name": "eve@fabrikam.com", "id": "1"}


def change(subject: str = "fabrikam-prime/Web") -> Change:
    place = QueuePlace("fabrikam-prime", "p-1", "Web", 7, 3)
    return Change("open access", "open access", subject, "closed", "open", OpenAccess(place, allow=True))


@dataclass
class Pool:
    """A pool's status through runs."""

    status: PoolStatus
    now: datetime = START

    def run(
        self,
        ready: Truth,
        reason: str,
        message: str = "",
        *,
        stalled: str = "",
        moving: str = "",
        cause: SyncCause | None = None,
        later: float = 900,
        **seen: object,
    ) -> list[str]:
        """Kinds of the notices of one run, a quarter of an hour later."""
        self.now += timedelta(seconds=later)
        finding = Finding(ready, reason, message, moving, stalled, message if stalled else "")
        before, known = self.status.conditions, {one.id for one in self.status.notices.notices}
        after = replace(self.status.found(finding, self.now), cause=cause)
        findings = RunFindings("fabrikam-prime", "blob-1", **seen)  # type: ignore[arg-type]
        self.status = replace(after, notices=noticed(before, after, findings, self.now))
        stored = PoolStatus.from_json("build", json.loads(json.dumps(self.status.to_json())))
        assert stored.notices == self.status.notices
        return [one.kind.value for one in self.status.notices.notices if one.id not in known]

    def begins(self, *changes: Change) -> None:
        """A run stores what it is about to correct, and is cut off."""
        self.status = replace(self.status, notices=beginning(self.status.notices, changes, named=True))

    def cut_off(self) -> dict[str, object]:
        """What the next run that plans finds of it."""
        return {"cut_off": self.status.notices.begun}

    def lines(self) -> list[str]:
        """Of the newest notice."""
        return [line.what.split("/")[-1] for line in self.status.notices.notices[-1].lines]

    def good(self, **seen: object) -> list[str]:
        return self.run(Truth.TRUE, "InSync", **seen)  # type: ignore[arg-type]

    def drifts(self, *changes: Change, **more: object) -> list[str]:
        return self.run(Truth.FALSE, "OutOfSync", cause=SyncCause.DRIFT, left=changes or (change(),), **more)  # type: ignore[arg-type]

    def stalls(self, reason: str = "Forbidden", message: str = "denied") -> list[str]:
        return self.run(Truth.FALSE, reason, message, stalled=reason)

    def refuses(self, *rules: str) -> list[str]:
        refusals = [Refusal(change(f"fabrikam-prime/{rule}"), rule, f"{rule} says no") for rule in rules]
        return self.run(Truth.FALSE, "Refused", "no", stalled="Refused", cause=SyncCause.DRIFT, refusals=refusals)


@pytest.fixture
def pool() -> Pool:
    made = Pool(PoolStatus("build"))
    assert made.good() == []
    return made


def test_a_first_run_a_rollout_and_a_retry_are_silent(pool: Pool) -> None:
    assert pool.run(Truth.FALSE, "OutOfSync", cause=SyncCause.PENDING, left=[change()]) == []
    assert pool.good(written=[change()]) == []
    assert pool.run(Truth.UNKNOWN, "Unavailable", moving="Unavailable") == []
    assert pool.good() == []
    assert pool.status.to_json()["notices"] is None


def test_drift_that_no_run_changes_is_told_once_and_again_with_another_change(pool: Pool) -> None:
    assert pool.drifts() == ["drift"]
    assert pool.drifts() == []
    assert pool.drifts(change(), change("fabrikam-prime/Api")) == ["drift"]
    assert pool.good() == ["recovered"]
    assert pool.good() == []


def test_drift_that_is_being_corrected_is_told_when_it_is(pool: Pool) -> None:
    assert pool.drifts(moving="Progressing") == []
    assert pool.run(
        Truth.FALSE, "Progressing", moving="Progressing", cause=SyncCause.DRIFT, written=[change()], drift=True,
        blame=lambda _: EVE, named=True,
    ) == []  # fmt: skip
    assert pool.good() == ["repaired"]
    (line,) = pool.status.notices.notices[-1].lines
    assert (line.what, line.before, line.after) == ("open access fabrikam-prime/Web", "closed", "open")
    assert line.by == "probably by eve@fabrikam.com"


API, WEB = change("fabrikam-prime/Api"), change()


def test_what_a_run_corrected_that_was_cut_off_is_told_by_the_next_one(pool: Pool) -> None:
    pool.begins(API, WEB)
    assert pool.good(**pool.cut_off()) == ["repaired"]
    assert pool.lines() == ["Api", "Web"]
    assert pool.good(**pool.cut_off()) == []


def test_what_it_had_not_corrected_counts_for_the_run_that_does(pool: Pool) -> None:
    pool.begins(API, WEB)
    assert pool.drifts(WEB, moving="Progressing", **pool.cut_off()) == []
    assert [line.what for line in pool.status.notices.begun] == ["open access fabrikam-prime/Api"]
    assert pool.good(**pool.cut_off()) == ["repaired"]
    assert pool.lines() == ["Api"], "Web was put right by someone else"

    pool.begins(API, WEB)
    assert pool.good(drift=True, written=[WEB], blame=lambda _: EVE, named=True, **pool.cut_off()) == ["repaired"]
    assert pool.lines() == ["Api", "Web"]
    assert [line.by for line in pool.status.notices.notices[-1].lines] == ["", "probably by eve@fabrikam.com"]


def test_two_runs_that_were_cut_off_are_told_together(pool: Pool) -> None:
    pool.begins(API)
    pool.begins(WEB)
    assert pool.good(**pool.cut_off()) == ["repaired"]
    assert pool.lines() == ["Api", "Web"]


def test_a_run_that_ends_knows_itself_what_it_made(pool: Pool) -> None:
    before = pool.cut_off()
    pool.begins(API)
    assert pool.good(**before) == []
    assert pool.status.to_json()["notices"] is None


def test_a_run_that_could_not_plan_leaves_what_was_begun(pool: Pool) -> None:
    pool.begins(WEB)
    assert pool.run(Truth.UNKNOWN, "Unavailable", moving="Unavailable") == []
    assert pool.stalls() == ["stalled"]
    assert pool.good(**pool.cut_off()) == ["recovered"]
    pool.begins(WEB)
    assert pool.good() == []
    assert pool.good(**pool.cut_off()) == ["repaired"]


def test_people_are_not_named_unless_that_is_allowed(pool: Pool) -> None:
    pool.drifts(blame=lambda _: EVE)
    assert "eve" not in json.dumps(pool.status.notices.to_json())
    assert "probably by person-" in pool.status.notices.notices[-1].lines[0].by


def test_a_stalled_pool_is_told_once_whatever_numbers_its_message_has(pool: Pool) -> None:
    assert pool.stalls(message="denied at 12:01, try 3") == ["stalled"]
    assert pool.stalls(message="denied at 13:15, try 4") == []
    assert pool.run(Truth.UNKNOWN, "Unavailable", moving="Unavailable") == []
    assert pool.stalls(message="denied at 13:30, try 5") == []
    assert pool.stalls("NotFound", "gone") == ["stalled"]
    assert pool.good() == ["recovered"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Trace ID: 0a1b2c3d-aaaa-bbbb-cccc-deadbeef0001", "Trace ID: ffeeddcc-dddd-eeee-ffff-cafebabe0002"),
        ("trace 4bf92f3577b34da6a3ce929d0e0e4736.", "trace aaf92f3577b34da6a3ce929d0e0e47ff."),
    ],
)
def test_an_id_of_a_single_request_makes_no_news(pool: Pool, first: str, second: str) -> None:
    assert pool.stalls(message=f"AADSTS7000222: the secret expired. {first}") == ["stalled"]
    assert pool.stalls(message=f"AADSTS7000222: the secret expired. {second}") == []


def test_what_an_approval_would_allow_waits_for_one_and_the_rest_is_refused(pool: Pool) -> None:
    assert pool.refuses("cap-removals") == ["approval-wanted"]
    assert pool.refuses("cap-removals", "last-administrator") == ["refused"]
    assert pool.good() == ["recovered"]
    assert pool.run(Truth.FALSE, "OutOfSync", left=[change()], unapproved=True) == ["approval-wanted"]
    assert pool.good() == []


def test_a_fight_is_one_alert_for_each_content_of_the_file(pool: Pool) -> None:
    assert pool.good(written=[change()], drift=True, fights=["eve changed it 3 times"]) == ["fight"]
    assert pool.refuses(FIGHT) == []
    assert pool.good() == []
    assert pool.refuses(FIGHT) == []


def test_a_fight_over_another_field_is_another_alert(pool: Pool) -> None:
    written = {"written": [change()], "drift": True}
    assert pool.good(fights=["eve changed it 3 times"], **written) == ["fight"]
    assert pool.refuses(FIGHT) == []
    assert pool.good(fights=["mallory changed another one 3 times"], **written) == ["fight"]
    assert "another one" in pool.status.notices.notices[-1].text
    assert pool.refuses(FIGHT) == []


def test_a_fight_while_notices_are_damped_is_told_when_it_is_quiet(pool: Pool) -> None:
    pool.good(written=[change()], drift=True, fights=["eve changed it 3 times"])
    while pool.drifts(later=30) or pool.good(later=30):
        pass
    assert pool.good(written=[change()], drift=True, fights=["mallory changed it 3 times"], later=30) == []
    pool.now += LASTS
    assert pool.refuses(FIGHT) == ["fight"]


def test_a_window_that_opens_is_told_and_one_that_ends_by_a_pause_is_not(pool: Pool) -> None:
    assert pool.run(Truth.FALSE, OUTSIDE_WINDOW, cause=SyncCause.PENDING) == []
    assert pool.good(written=[change()], in_window=True) == ["window-opened"]
    pool.run(Truth.FALSE, OUTSIDE_WINDOW, cause=SyncCause.PENDING)
    assert pool.run(Truth.UNKNOWN, "Suspended") == []
    pool.run(Truth.FALSE, OUTSIDE_WINDOW, cause=SyncCause.PENDING)
    assert pool.run(
        Truth.FALSE, "Progressing", moving="Progressing", cause=SyncCause.PENDING, written=[change()], in_window=True
    ) == ["window-opened"]  # fmt: skip


def test_what_needs_no_window_opens_none(pool: Pool) -> None:
    """Written beside what waits, or by the owner's approval."""
    pool.run(Truth.FALSE, OUTSIDE_WINDOW, cause=SyncCause.PENDING)
    assert pool.run(Truth.FALSE, "Progressing", moving="Progressing", cause=DRIFT, written=[change()]) == []
    pool.run(Truth.FALSE, OUTSIDE_WINDOW, cause=SyncCause.PENDING)
    assert pool.good(written=[change()]) == []


def test_a_flapping_pool_is_damped_and_its_last_state_is_told_when_it_is_quiet(pool: Pool) -> None:
    told = [kind for _ in range(10) for kind in (*pool.drifts(later=30), *pool.good(later=30))]
    assert told == ["drift", "recovered"] * (MOST // 2)
    assert pool.status.notices.notices[-1].damped
    assert not any(one.damped for one in pool.status.notices.notices[:-1])
    pool.now += LASTS
    assert pool.drifts() == ["drift"]


def test_a_pause_is_silent_but_not_what_stalls_beside_it(pool: Pool) -> None:
    assert pool.run(Truth.UNKNOWN, "Suspended") == []
    assert pool.run(Truth.UNKNOWN, "Suspended", "deleted to be replaced", stalled="Replacing") == ["stalled"]
    assert pool.run(Truth.UNKNOWN, "Suspended", "deleted to be replaced", stalled="Replacing") == []
    assert pool.run(Truth.UNKNOWN, "Suspended") == []
    assert pool.good() == ["recovered"]


def test_conditions_that_no_run_found_are_told_too(pool: Pool) -> None:
    broken = Finding(Truth.UNKNOWN, "SpecInvalid", "line 3", stalled="SpecInvalid", stalled_message="line 3")
    told = with_finding(pool.status, broken, pool.now)
    assert [one.kind for one in told.notices.notices] == [NoticeKind.STALLED]
    assert with_finding(told, broken, pool.now).notices == told.notices


def test_a_damaged_state_of_notices_is_read_as_far_as_it_goes() -> None:
    body = {"told": {"drift": 3, "stalled": "x"}, "done": ["?", {"what": 1}], "notices": [7, {"id": "a"}, {"kind": []}]}
    assert NoticeState.from_json(body).told == {"stalled": "x"}
    assert NoticeState.from_json(body).notices == ()
    assert NoticeState.from_json([]) == NoticeState()


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["good", "drift", "repaired", "stalled", "refused", "moving", "paused", "window"]),
        st.integers(1, 7200),
    ),
    max_size=30,
)


@given(EVENTS)
def test_every_sequence_of_runs_keeps_the_promises(events: list[tuple[str, int]]) -> None:
    """At most one notice a run, none for what did not change, bounded within an hour, and none while all was well."""
    pool, moments, ids = Pool(PoolStatus("build")), list[datetime](), set[str]()
    for name, later in events:
        for again in (False, True):
            seconds = 1 if again else later
            kinds = _run(pool, name, seconds, again=again)
            assert len(kinds) <= 1
            if again and moments and len(moments) < MOST:
                assert kinds == []
            moments += [pool.now] * len(kinds)
        found = [one.id for one in pool.status.notices.notices]
        assert len(found) == len(set(found))
        ids |= set(found)
    assert len(ids) == len(moments)
    for index, moment in enumerate(moments):
        assert sum(moment - LASTS < other <= moment for other in moments[: index + 1]) <= MOST
    if all(name in ("good", "moving", "paused") for name, _ in events):
        assert not ids


def _run(pool: Pool, name: str, later: float, *, again: bool) -> list[str]:
    refusals = [Refusal(change(), "last-administrator", "no")]
    runs: dict[str, Callable[[], list[str]]] = {
        "good": lambda: pool.good(later=later),
        "repaired": lambda: pool.good(later=later, written=[] if again else [change()], drift=True),
        "drift": lambda: pool.drifts(later=later),
        "stalled": lambda: pool.run(Truth.FALSE, "Forbidden", "denied", stalled="Forbidden", later=later),
        "refused": lambda: pool.run(Truth.FALSE, "Refused", "no", stalled="Refused", refusals=refusals, later=later),
        "moving": lambda: pool.run(Truth.FALSE, "Progressing", moving="Progressing", cause=DRIFT, later=later),
        "window": lambda: pool.run(Truth.FALSE, OUTSIDE_WINDOW, cause=SyncCause.PENDING, later=later),
        "paused": lambda: pool.run(Truth.UNKNOWN, "Suspended", later=later),
    }
    return runs[name]()
