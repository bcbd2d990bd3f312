"""What a person reads of what comes next: of pools that are held back until a moment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.engine.outlook import Schedule, next_step
from reconciler.engine.status import Finding, PoolStatus, Truth
from tests.keeping import START

DUE = START + timedelta(hours=10)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("Suspended", "nothing is written before its pause ends"),
        ("OutsideWindow", "what waits is written when its window opens"),
        ("OutOfSync", "nothing is written before its cause changes"),
    ],
)
def test_what_is_held_back_until_a_moment_says_so_and_when_it_is_read_again(reason: str, said: str) -> None:
    status = PoolStatus("pool-1").found(Finding(Truth.FALSE, reason, "held", "", "", ""), START)

    assert next_step(status, Schedule(due=DUE), START) == (
        f"{said}; read again at 2026-06-01 22:00:00 UTC, or at an event before that"
    )


def test_a_paused_pool_that_does_not_exist_any_more_needs_a_person() -> None:
    status = PoolStatus("pool-1").found(Finding(Truth.FALSE, "Suspended", "held", "", "Replacing", "deleted"), START)

    assert next_step(status, Schedule(), START).startswith("nothing is done about it until an administrator acts")
