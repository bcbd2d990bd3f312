"""What keeps the operator's rights, and those of the last administrator: by effective rights.

An identity administers a place where it is assigned the role there, where it inherits it, where a group of it does, or
where it is one of the organization's administrators. A group without members administers nothing. Groups are read only
where something would be taken away, so a converged estate costs no read for this.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import NamedTuple

from reconciler.facets.support import principals
from reconciler.facets.support.role_changes import Objection
from reconciler.plan.order import REMEDY
from reconciler.ports.devops import Identity
from reconciler.survey.operators import Operators, People


class Standing(NamedTuple):
    """The operators of an organization, and what groups mean for one place."""

    operators: Operators
    groups: Mapping[str, frozenset[str]] = MappingProxyType({})
    """Local id of an operator → local ids of its groups; read where it is not assigned by itself."""
    collection: frozenset[str] = frozenset()
    """Those of the operators who are administrators of the organization."""
    empty: frozenset[str] = frozenset()
    """Local ids that are groups without members."""

    @property
    def protected(self) -> frozenset[str]:
        """Local ids that no diff removes."""
        return self.operators.ids

    def enters(self, operator: Identity, administrators: AbstractSet[str]) -> bool:
        """Whether an operator administers the place, where these local ids are its administrators."""
        direct = operator.id in administrators or operator.id in self.collection
        return direct or bool(self.groups.get(operator.id, frozenset()) & administrators)

    def outside(self, administrators: AbstractSet[str]) -> list[Identity]:
        """The operators who do not administer the place, where these local ids do."""
        return [one for one in self.operators.identities if not self.enters(one, administrators)]


def standing(people: People, operators: Operators, assigned: Collection[str], counted: Iterable[str]) -> Standing:
    """Read the groups of operators who are not assigned, and which of the counted local ids are empty groups."""
    groups = {one: people.groups_of(one) for one in sorted(operators.ids) if one not in assigned}
    collection = frozenset(one for one in groups if people.administers_collection(one))
    return Standing(operators, groups, collection, people.without_members(frozenset(counted)))


def against_operators(standing: Standing) -> Objection | None:
    """Nothing is taken away where it is not known who has to keep the right."""
    operators = standing.operators
    if operators.unknown:
        text = (
            f"the organization does not know the operator {operators.unknown[0]}; add it there, or correct the name in "
        )
        return "operator-unknown", text + "RECONCILER_OPERATORS or the policy's operators"
    if not operators.identities:
        return "operator-unknown", f"no operator is known; {REMEDY}"
    return None


def against_loss(
    identity: str, standing: Standing, before: AbstractSet[str], after: AbstractSet[str]
) -> Objection | None:
    """Why an identity keeps its role; `before` and `after`: administrators without and with all removals of the plan.

    Both hold what the plan grants: nothing is removed in a place before its grants are verified.
    """
    if identity in standing.protected:
        return "operator-itself", "the operator is never removed"
    if identity == standing.operators.caller.id:
        return "caller-itself", "a run never removes the identity that runs; the deployed operator does it"
    if objection := against_operators(standing):
        return objection
    for operator in standing.outside(after):
        name = principals.label(operator)
        if not standing.enters(operator, before):
            return "operator-locked-out", f"nothing that was read makes the operator {name} an administrator here"
        if identity in standing.groups.get(operator.id, ()):
            return "operator-locked-out", f"the operator {name} administers this through it, and in no other way"
    return None
