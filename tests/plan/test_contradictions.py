"""Which changes of one plan take back what another gives."""

from __future__ import annotations

from dataclasses import replace

from reconciler.plan.contradictions import contradicting
from reconciler.plan.model import Change
from tests.plan.guarded import (
    ORG,
    closing,
    grant,
    inheriting,
    member,
    opening,
    pipeline,
    pool,
    provisioning,
    queue,
    removal,
)

TWICE = ("contradiction", "2 changes are about this one subject")
BOTH_WAYS = ("contradiction", "the same plan widens and narrows this")


def found(*changes: Change) -> list[tuple[str, str] | None]:
    named = [replace(one, subject=str(number)) for number, one in enumerate(changes)]
    findings = contradicting(named)
    return [findings.get(id(one)) for one in named]


def test_what_is_given_and_taken_in_one_place_contradicts() -> None:
    assert found(opening("Dev"), closing("Dev"), opening("Test")) == [BOTH_WAYS, BOTH_WAYS, None]
    assert found(pipeline("a", number=3), pipeline("b", number=3, authorized=False)) == [BOTH_WAYS] * 2
    assert found(pipeline("a", number=3), pipeline("a", number=4, authorized=False)) == [None] * 2


def test_one_subject_has_one_change() -> None:
    assert contradicting([one := opening(), other := opening()]) == {id(one): TWICE, id(other): TWICE}


def test_two_switches_of_one_agent_pool_are_two_things() -> None:
    assert found(inheriting(on=True), provisioning(on=False)) == [None] * 2
    assert found(inheriting(on=True), inheriting(on=False)) == [BOTH_WAYS] * 2


def test_an_identity_without_a_name_is_no_other_one_without_a_name() -> None:
    assert found(grant("", who="L1"), removal("", who="L2")) == [None] * 2
    assert found(grant("", who="L1"), removal("", who="L1")) == [BOTH_WAYS] * 2


def test_a_person_is_the_same_by_id_or_by_name_in_any_case() -> None:
    assert found(grant("ann", who="L1"), removal("bob", who="l1")) == [BOTH_WAYS] * 2
    assert found(grant("Ann", who="L1"), removal("aNN", who="L2")) == [BOTH_WAYS] * 2
    assert found(grant("ann", who="L1"), removal("bob", who="L2")) == [None] * 2


def test_nobody_becomes_known_for_a_pool_that_takes_a_role_from_them() -> None:
    assert found(member("Ann"), removal("aNN")) == [BOTH_WAYS] * 2
    assert found(member("ann"), removal("bob")) == [None] * 2
    assert found(member("ann"), grant("ann")) == [None] * 2


def test_another_place_is_another_thing() -> None:
    other = "fabrikam-tailspin"
    assert found(opening("Dev"), closing("Dev", other)) == [None] * 2
    assert found(grant("ann", pool(other)), removal("ann")) == [None] * 2
    assert found(grant("ann", queue("Dev", ORG)), removal("ann")) == [None] * 2
    assert found(inheriting(other, on=True), inheriting(on=False)) == [None] * 2
    assert found(pipeline("a", "Dev"), pipeline("a", "Test", authorized=False)) == [None] * 2


def test_all_that_are_about_one_subject_are_counted() -> None:
    three = [opening(), opening(), opening()]

    assert list(contradicting(three).values()) == [("contradiction", "3 changes are about this one subject")] * 3
