"""Lines that were written, confirmed and are there again: counted per content of the spec, and not written for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine import RunLimits
from reconciler.engine.status import InFlight, PoolStatus
from reconciler.engine.stored import Ineffective
from reconciler.engine.without_effect import counted, lines_of, resting
from reconciler.plan.model import Change, Detail, Gap, GapKind, Plan, Refusal
from reconciler.plan.targets import UpdatePool

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
ABSENT = Detail("runtimeConfiguration.workFolder", None, "/mnt/work")
VALUE = Detail("maximumConcurrency", 4, 6)
LIMITS = RunLimits()


def change(*details: Detail) -> Change:
    return Change("pool", "pool", "pool-1", None, None, UpdatePool("/pools/pool-1", {}), details)


def plan(*details: Detail, gaps: tuple[Gap, ...] = ()) -> Plan:
    return Plan("pool-1", "c0ffee", (change(*details),) if details else (), gaps=gaps)


def ended(*details: Detail, spec: str = "one") -> InFlight:
    return InFlight("https://x", "update", "pool", "pool:pool:pool-1", 7.0, NOW, lines_of(change(*details)), spec)


def after(count: Ineffective | None, *writes: InFlight | None, left: Plan, digest: str = "one") -> Ineffective | None:
    """The count after these writes, each followed by this plan."""
    for write in writes:
        count = counted(PoolStatus("pool-1", ineffective=count), write, left, digest)
    return count


def rests(left: Plan, count: Ineffective | None) -> bool:
    return bool(resting(left, count, LIMITS))


def test_an_absent_value_rests_after_one_write_and_another_one_after_three() -> None:
    assert not rests(plan(ABSENT), None)
    assert rests(plan(ABSENT), after(None, ended(ABSENT), left=plan(ABSENT)))

    for writes in (1, 2):
        assert not rests(plan(VALUE), after(None, *[ended(VALUE)] * writes, left=plan(VALUE)))
    assert rests(plan(VALUE), after(None, *[ended(VALUE)] * 3, left=plan(VALUE)))


def test_the_message_names_the_fields_and_the_remedy() -> None:
    found = resting(plan(ABSENT), after(None, ended(ABSENT), left=plan(ABSENT)), LIMITS)

    assert {name: str(error) for name, error in found.items()} == {
        "pool:pool:pool-1": "pool-1: ARM confirmed the write of runtimeConfiguration.workFolder, and a new read shows no "
        "effect; correct the value, or take it out of the spec"
    }


def test_a_line_that_was_not_written_is_and_takes_the_others_along() -> None:
    count = after(None, ended(ABSENT), left=plan(ABSENT))

    assert not rests(plan(ABSENT, VALUE), count)


@pytest.mark.parametrize(
    ("write", "left", "digest", "reason"),
    [
        (ended(ABSENT), plan(), "one", "it had its effect"),
        (ended(ABSENT), plan(replace(ABSENT, after="/other")), "one", "another value is another line"),
        (ended(ABSENT), plan(replace(ABSENT, before="/old")), "one", "ARM returns something now"),
        (ended(ABSENT), plan(ABSENT), "two", "the spec changed while the operation was in flight"),
        (None, plan(ABSENT), "one", "nothing was written, or the operation failed"),
    ],
)
def test_what_does_not_count(write: InFlight | None, left: Plan, digest: str, reason: str) -> None:
    assert after(None, write, left=left, digest=digest) is None, reason


def test_another_spec_begins_anew_and_a_line_that_is_gone_is_forgotten() -> None:
    count = after(None, ended(ABSENT), left=plan(ABSENT))

    assert after(count, None, left=plan(ABSENT)) == count
    assert after(count, None, left=plan(ABSENT), digest="two") is None
    assert after(count, None, left=plan()) is None


def test_a_read_that_failed_forgets_nothing_and_a_refused_line_is_still_there() -> None:
    count = after(None, ended(ABSENT), left=plan(ABSENT))
    unread = Gap("pool", "", GapKind.UNKNOWN, "Unavailable", "503")
    refused = Plan("pool-1", "c0ffee", (), refusals=(Refusal(change(ABSENT), "rule", "why"),))

    assert after(count, None, left=plan(gaps=(unread,))) == count
    assert after(count, None, left=refused) == count


details = st.lists(
    st.builds(Detail, st.sampled_from("abc"), st.sampled_from([None, 1, "x", {"k": 1}]), st.sampled_from([2, [3]])),
    max_size=3,
    unique_by=lambda detail: detail.path,
)


@given(st.lists(details, max_size=6), details)
def test_nothing_rests_that_was_not_written_since_the_spec_changed(
    sent: list[list[Detail]], left: list[Detail]
) -> None:
    count: Ineffective | None = None
    for one in sent:
        count = after(count, ended(*one), left=plan(*one))
    written = {line for one in sent for line in lines_of(change(*one))}

    if rests(plan(*left), count):
        assert set(lines_of(change(*left))) <= written


@given(details)
def test_the_count_and_the_lines_in_flight_are_stored(sent: list[Detail]) -> None:
    """And hold no value of the spec."""
    status = PoolStatus("pool-1", pending=ended(*sent), ineffective=after(None, ended(*sent), left=plan(*sent)))

    assert PoolStatus.from_json("pool-1", status.to_json()) == status


@pytest.mark.parametrize("damaged", [None, 1, {}, {"spec": "x"}, {"spec": "x", "lines": []}])
def test_a_damaged_count_is_none(damaged: Any) -> None:
    assert Ineffective.from_json(damaged) is None


OTHER = Detail("fabricProfile.osDiskStorageAccountType", "", "Premium")
MAPPED = Detail("tags", {"a": 1, "b": 2}, {"c": 3})


def test_an_empty_text_is_absent_as_well_and_all_fields_are_named() -> None:
    count = after(None, ended(OTHER, ABSENT), left=plan(OTHER, ABSENT))

    (error,) = resting(plan(OTHER, ABSENT), count, LIMITS).values()
    assert "the write of fabricProfile.osDiskStorageAccountType, runtimeConfiguration.workFolder, and" in str(error)


def test_a_line_that_was_never_written_has_no_count() -> None:
    count = after(None, ended(VALUE), left=plan(VALUE, ABSENT))

    assert not rests(plan(ABSENT), count)


def test_lines_of_another_write_keep_their_count() -> None:
    both = plan(ABSENT, OTHER)
    count = after(None, ended(ABSENT), ended(OTHER), left=both)

    assert rests(both, count)


def test_a_line_is_known_by_its_content_whatever_the_order_of_its_keys() -> None:
    turned = replace(MAPPED, before={"b": 2, "a": 1})

    assert lines_of(change(MAPPED)) == lines_of(change(turned))
    assert len({*lines_of(change(MAPPED, VALUE, ABSENT, replace(MAPPED, after={})))}) == 4
    assert all(len(line) == len("pool:") + 16 for line in lines_of(change(MAPPED)))
