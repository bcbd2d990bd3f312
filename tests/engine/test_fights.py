"""A field that another owner changes back again and again: counted in the record, refused, and released."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.documents import moment
from reconciler.engine.fights import MOST, PERIOD, Fights, Quarantine
from reconciler.engine.recorder import chain_of, described
from reconciler.errors import Unavailable
from reconciler.plan.model import Change, Detail
from reconciler.plan.targets import UpdatePool
from tests.engine.stage import SPEC as BARE
from tests.keeping import HandClock, Ledger, Shelf
from tests.plan.guarded import closing, opening

SPEC = replace(BARE, blob="b10b", path="specs/pool-1.yaml")
ROBOT = {"id": "r0b0t", "name": "terraform"}
SIZE, TAG = Detail("maximumConcurrency", 2, 3), Detail("tags.team", "a", "b")


def update(*lines: Detail) -> Change:
    return Change("pool", "pool", "pool-1", None, None, UpdatePool(SPEC.pool_id, {}), lines)


@dataclass
class Ring:
    """A pool with its record, its state and a clock."""

    spec: Any = SPEC
    clock: HandClock = field(default_factory=HandClock)
    state: Shelf = field(default_factory=Shelf)
    log: Ledger = field(default_factory=Ledger)

    def corrects(self, change: Change, actor: Any = ROBOT, *, cause: str = "drift", blob: str = "b10b") -> list[str]:
        """A correction that went out, a minute after the one before."""
        self.clock.seconds += 60
        number = len(self.log.all())
        body = {
            "kind": "intent", "id": f"i{number}", "at": moment(self.clock.now()), "cause": cause, "spec": blob,
            "actor": actor, **described(change),
        }  # fmt: skip
        self.log.append(chain_of(self.spec, change), [body])
        return self.fights.note([change])

    def rejected(self, change: Change) -> None:
        """The service did not take the last write."""
        last = self.log.all()[-1]
        entry = {"kind": "result", "of": last["id"], "at": last["at"], "outcome": "rejected"}
        self.log.append(chain_of(self.spec, change), [entry])

    @property
    def fights(self) -> Fights:
        return Fights(self.state, self.log, self.spec, self.clock)

    def held(self, change: Change) -> str:
        return Quarantine(self.state, self.spec).held(change)


def test_the_third_correction_within_a_day_is_the_last() -> None:
    ring, text = Ring(), (
        "some kind {subject}: terraform changed it 3 times in 24 hours, and specs/pool-1.yaml:0 says otherwise; it is "
        "corrected no more: agree who owns it, then change that file or approve this plan"
    )  # fmt: skip
    change = opening()

    assert [ring.corrects(change) for _ in range(MOST - 1)] == [[], []]
    assert ring.held(change) == ""
    assert ring.state.saves == []
    assert ring.corrects(change) == [text.format(subject=change.subject)]
    assert ring.held(change) == text.format(subject=change.subject)
    assert ring.held(closing()) == ""


def test_each_field_of_a_body_is_fought_over_by_itself() -> None:
    ring = Ring()
    for _ in range(MOST):
        ring.corrects(update(SIZE))

    assert ring.held(update(SIZE))
    assert ring.held(update(TAG, SIZE))
    assert ring.held(update(TAG)) == ""


def test_what_is_older_than_a_day_does_not_count() -> None:
    ring = Ring()
    ring.corrects(opening())
    ring.clock.seconds += PERIOD.total_seconds() - 119
    ring.corrects(opening())
    ring.corrects(opening())
    assert ring.held(opening()) == ""
    ring.corrects(opening())
    assert ring.held(opening())


@pytest.mark.parametrize(
    "other",
    [
        {"actor": {"id": "ann", "name": "Ann"}},
        {"actor": None},
        {"actor": {}},
        {"actor": "terraform"},
        {"cause": "spec"},
        {"blob": "another"},
    ],
)
def test_only_drift_by_the_same_owner_from_the_same_spec_counts(other: dict[str, Any]) -> None:
    ring = Ring()
    ring.corrects(opening(), **other)
    ring.corrects(opening())
    ring.corrects(opening())
    assert ring.held(opening()) == ""
    ring.corrects(opening())
    assert ring.held(opening())


def test_drift_by_no_one_that_is_named_is_corrected_for_ever() -> None:
    ring = Ring()

    assert [ring.corrects(opening(), actor) for actor in ({}, None, {"id": ""}) for _ in range(MOST)] == [[]] * 9


def test_an_owner_without_an_id_goes_by_the_name_and_one_without_a_name_by_the_id() -> None:
    by_name, by_id = Ring(), Ring()
    for _ in range(MOST):
        by_name.corrects(opening(), {"name": "Ann"})
        by_id.corrects(opening(), {"id": "0b1ec7"})

    assert ": Ann changed it 3 times" in by_name.held(opening())
    assert ": 0b1ec7 changed it 3 times" in by_id.held(opening())


def test_the_last_correction_says_with_whom() -> None:
    """Two that take turns are none that does it again and again, until one of them does."""
    ring = Ring()
    for actor in (ROBOT, {"id": "ann"}, ROBOT, {"id": "ann"}):
        ring.corrects(opening(), actor)
    assert ring.held(opening()) == ""
    ring.corrects(opening())
    assert "terraform changed it 3 times" in ring.held(opening())


def test_a_write_that_was_rejected_corrected_nothing() -> None:
    ring = Ring()
    for _ in range(MOST - 1):
        ring.corrects(opening())
        ring.rejected(opening())
    ring.corrects(opening())

    assert ring.held(opening()) == ""


def test_one_change_that_is_corrected_until_it_works_is_one() -> None:
    """A service that answers 500 to correction after correction is no one who fights."""
    ring = Ring()
    for hour in (9, 10):
        for _ in range(MOST):
            assert ring.corrects(opening(), {**ROBOT, "at": f"2026-11-22T{hour:02}:00:00Z"}) == []

    assert ring.held(opening()) == ""
    assert len(ring.corrects(opening(), {**ROBOT, "at": "2026-11-22T11:00:00Z"})) == 1
    assert "terraform changed it 3 times" in ring.held(opening())


def test_another_spec_ends_it_and_forgets_the_old_one() -> None:
    ring = Ring()
    for _ in range(MOST):
        ring.corrects(opening())
    ring.spec = replace(SPEC, blob="changed")

    assert ring.held(opening()) == ""
    for _ in range(MOST):
        ring.corrects(update(SIZE), blob="changed")
    assert ring.held(update(SIZE))
    ring.spec = SPEC
    assert ring.held(opening()) == "", "what is stored is of the spec that is there"


def test_an_approval_releases_it_and_counting_begins_again() -> None:
    ring = Ring()
    for _ in range(MOST):
        ring.corrects(opening())
    assert ring.held(opening())

    assert ring.corrects(opening()) == [], "an approved plan corrected it"
    assert ring.held(opening()) == ""
    assert [ring.corrects(opening()) for _ in range(MOST - 1)] == [[]] * (MOST - 1)
    assert len(ring.corrects(opening())) == 1
    assert ring.held(opening())


def test_what_is_held_stays_while_something_else_is_corrected() -> None:
    ring = Ring()
    for _ in range(MOST):
        ring.corrects(opening())
    for _ in range(MOST):
        ring.corrects(update(SIZE))

    assert ring.held(opening())
    assert ring.held(update(SIZE))


def test_a_record_or_a_state_that_cannot_be_read_holds_nothing() -> None:
    """A fight costs writes; a guess would cost a correction that no one asked to stop."""
    ring = Ring()
    for _ in range(MOST):
        ring.corrects(opening())
    ring.state.fail = Unavailable("away")
    assert ring.held(opening()) == ""
    ring.state.fail = None
    for damaged in ("[]", '{"fields": []}', '{"fields": {"x": 1}}', "{}", '"text"'):
        ring.state.documents["fights/pool-1"] = (damaged, 9)
        assert ring.held(opening()) == ""

    torn = Ring()
    for _ in range(MOST - 1):
        torn.corrects(opening())
    torn.log.lines = {chain: [b'{"torn": 1}', *lines] for chain, lines in torn.log.lines.items()}
    assert torn.fights.note([opening()]) == []


def test_a_document_that_another_worker_stored_meanwhile_is_left() -> None:
    """The next correction finds the fight again; this run knows it all the same."""
    ring = Ring()
    for _ in range(MOST - 1):
        ring.corrects(opening())
    ring.state.before = ring.state.touch
    (text,) = ring.corrects(opening())

    assert "terraform changed it 3 times" in text
    assert ring.state.saves == []


def test_corrections_a_minute_apart_are_within_the_period() -> None:
    assert timedelta(hours=24) == PERIOD
    assert MOST == 3
