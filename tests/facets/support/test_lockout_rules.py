"""Who keeps a role, rule by rule: the operator, the identity that runs, and the group through which an operator gets in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import pytest

from reconciler.facets.support.lockout import Standing, against_loss, against_operators, standing
from reconciler.ports.devops import Identity
from reconciler.survey.operators import Operators

OPERATOR, OTHER, LAPTOP = (
    Identity(f"id-{name}", name, f"{name}@fabrikam.com") for name in ("operator", "other", "laptop")
)
ANN, TEAM, CREW = "id-ann", "id-team", "id-crew"
ALONE = Standing(Operators(LAPTOP, (OPERATOR,)))
BOTH = Standing(Operators(LAPTOP, (OPERATOR, OTHER)))
UNKNOWN = "the organization does not know the operator x; add it there, or correct the name in RECONCILER_OPERATORS or the policy's operators"
NO_OPERATOR = (
    "no operator is known; an administrator has to assign it, or the deployment's identities are named in "
    "RECONCILER_OPERATORS or in the policy's operators"
)


@pytest.mark.parametrize(
    ("given", "administrators", "enters"),
    [
        (ALONE, {OPERATOR.id}, True),
        (ALONE, {ANN}, False),
        (ALONE, set(), False),
        (ALONE._replace(collection=frozenset({OPERATOR.id})), set(), True),
        (ALONE._replace(collection=frozenset({ANN})), {ANN}, False),
        (ALONE._replace(groups={OPERATOR.id: frozenset({TEAM, CREW})}), {TEAM}, True),
        (ALONE._replace(groups={OPERATOR.id: frozenset({CREW})}), {TEAM}, False),
        (ALONE._replace(groups={ANN: frozenset({TEAM})}), {TEAM}, False),
    ],
)
def test_an_operator_enters_by_itself_by_a_group_or_as_administrator_of_all(
    given: Standing, administrators: set[str], enters: bool
) -> None:
    assert given.enters(OPERATOR, administrators) is enters
    assert given.outside(administrators) == ([] if enters else [OPERATOR])


def test_each_operator_that_does_not_enter_is_outside() -> None:
    assert BOTH.outside({OTHER.id}) == [OPERATOR]
    assert BOTH.outside(set()) == [OPERATOR, OTHER]
    assert BOTH.protected == {OPERATOR.id, OTHER.id}


@pytest.mark.parametrize(
    ("identity", "given", "before", "after", "objection"),
    [
        (ANN, ALONE, {OPERATOR.id, ANN}, {OPERATOR.id}, None),
        (OPERATOR.id, ALONE, {OPERATOR.id, ANN}, {ANN}, ("operator-itself", "the operator is never removed")),
        (LAPTOP.id, ALONE, {OPERATOR.id, LAPTOP.id}, {OPERATOR.id},
         ("caller-itself", "a run never removes the identity that runs; the deployed operator does it")),
        (ANN, ALONE, {ANN}, set(),
         ("operator-locked-out", "nothing that was read makes the operator operator@fabrikam.com an administrator here")),
        (TEAM, ALONE._replace(groups={OPERATOR.id: frozenset({TEAM})}), {TEAM}, set(),
         ("operator-locked-out", "the operator operator@fabrikam.com administers this through it, and in no other way")),
        (ANN, ALONE._replace(groups={OPERATOR.id: frozenset({TEAM})}), {TEAM, ANN}, set(), None),
        (TEAM, ALONE._replace(groups={OPERATOR.id: frozenset({TEAM, CREW})}), {TEAM, CREW}, {CREW}, None),
        (TEAM, ALONE._replace(groups={OPERATOR.id: frozenset({TEAM})}), {TEAM, OPERATOR.id}, {OPERATOR.id}, None),
        (ANN, BOTH, {OPERATOR.id, ANN}, {OPERATOR.id},
         ("operator-locked-out", "nothing that was read makes the operator other@fabrikam.com an administrator here")),
        (ANN, BOTH, {OPERATOR.id, OTHER.id, ANN}, {OPERATOR.id, OTHER.id}, None),
        (ANN, Standing(Operators(LAPTOP, (OPERATOR,), unknown=("x", "y"))), {OPERATOR.id}, {OPERATOR.id},
         ("operator-unknown", UNKNOWN)),
        (ANN, Standing(Operators(LAPTOP, ())), {ANN}, set(), ("operator-unknown", NO_OPERATOR)),
    ],
)  # fmt: skip
def test_why_an_identity_keeps_its_role(
    identity: str, given: Standing, before: set[str], after: set[str], objection: tuple[str, str] | None
) -> None:
    assert against_loss(identity, given, before, after) == objection


def test_nothing_is_taken_away_where_an_operator_is_not_known() -> None:
    assert against_operators(ALONE) is None
    assert against_operators(Standing(Operators(LAPTOP, (OPERATOR,), unknown=("x",)))) == ("operator-unknown", UNKNOWN)
    assert against_operators(Standing(Operators(LAPTOP, ()))) == ("operator-unknown", NO_OPERATOR)


@dataclass
class Directory:
    """Groups and members of an organization, and what was asked of it."""

    asked: list[str] = field(default_factory=list)

    def operators(self) -> Operators:
        return Operators(LAPTOP, (OPERATOR, OTHER))

    def groups_of(self, identity: str) -> frozenset[str]:
        self.asked.append(identity)
        return frozenset({f"group of {identity}"})

    def administers_collection(self, identity: str) -> bool:
        return identity == OTHER.id

    def without_members(self, identities: Collection[str]) -> frozenset[str]:
        return frozenset(identities) & {TEAM}


def test_groups_are_read_of_operators_that_are_not_assigned_by_themselves() -> None:
    operators, directory = Operators(LAPTOP, (OPERATOR, OTHER)), Directory()
    found = standing(directory, operators, [OPERATOR.id], [ANN, TEAM])

    assert directory.asked == [OTHER.id]
    assert found == Standing(
        operators, {OTHER.id: frozenset({f"group of {OTHER.id}"})}, frozenset({OTHER.id}), frozenset({TEAM})
    )
    assert standing(Directory(), operators, [OPERATOR.id, OTHER.id], []) == Standing(operators)


def test_an_operator_whose_groups_were_not_read_is_in_none() -> None:
    """It had the right in another way, which is not what is taken away here."""
    assert against_loss(ANN, ALONE, {OPERATOR.id, ANN}, {LAPTOP.id}) is None
