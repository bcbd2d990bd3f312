"""Who the operator is: the identities that no run may lock out.

They come from the deployment: `RECONCILER_OPERATORS`, the policy's `operators`, what the deployed service recorded of
itself in the state, and the service itself while it runs. Where none of these names any, the caller stands in for
them: it is protected, and gets no role for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from reconciler.errors import ReconcilerError
from reconciler.ports.devops import DevOpsReader, Group, Identity
from reconciler.survey.memo import Key, Memo, key_of
from reconciler.survey.principals import names_of

_RECORDED, _MEMBERSHIPS, _MEMBERS = "recorded operators", "memberships", "members"
UNTOUCHED = {_RECORDED, _MEMBERSHIPS, _MEMBERS, "names"}
"""Kinds of facts that no write of a run touches."""

_ADMINISTRATORS = "\\project collection administrators"
_CHUNK = 40
"""Members of one group that are read at once: one person among them is enough."""


def _none_recorded(_organization: str) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class OperatorNames:
    """Where a deployment names its operators."""

    names: tuple[str, ...] = ()
    """Principals, as in a spec: Entra object ids or addresses."""
    deployed: bool = False
    """Whether this process is the deployed service, so that the caller is an operator."""
    recorded: Callable[[str], Mapping[str, str]] = field(default=_none_recorded, compare=False)
    """Organization → local id → name of the identities that the deployed service recorded. Raises where unreadable."""


UNNAMED = OperatorNames()
"""A run that knows of no deployment."""


class Operators(NamedTuple):
    """The operators in one organization."""

    caller: Identity
    """The identity that runs."""
    identities: tuple[Identity, ...]
    named: bool = True
    """Whether the deployment names them; False: the caller stands in for them."""
    unknown: tuple[str, ...] = ()
    """Names of operators that the organization does not know."""

    @property
    def ids(self) -> frozenset[str]:
        """Their local ids."""
        return frozenset([one.id for one in self.identities])


def operators_of(
    caller: Identity, given: OperatorNames, known: Mapping[str, Identity], recorded: Mapping[str, str]
) -> Operators:
    """The operators of one organization; `known`: given name → identity, `recorded`: local id → name."""
    found = {known[name].id: known[name] for name in given.names if name in known}
    for identity, name in recorded.items():
        found.setdefault(identity, Identity(identity, name))
    if given.deployed:
        found[caller.id] = caller
    unknown = tuple(sorted([name for name in given.names if name not in known]))
    if not found and not unknown:
        return Operators(caller, (caller,), named=False)
    return Operators(caller, tuple(found[key] for key in sorted(found)), unknown=unknown)


class People(Protocol):
    """What facets may request about people of one organization, so that no one is locked out."""

    def operators(self) -> Operators:
        """The identities that no run may lock out. Raises where one of their names, or their record, cannot be read."""

    def groups_of(self, identity: str) -> frozenset[str]:
        """Local ids of all groups of an identity, nested ones included."""

    def administers_collection(self, identity: str) -> bool:
        """Whether an identity is one of the organization's administrators, who administer every agent pool."""

    def without_members(self, identities: Collection[str]) -> frozenset[str]:
        """Those of these local ids that are groups without members, or that the organization does not know."""


class Resolving(Protocol):
    """What the survey knows already."""

    def me(self, organization: str) -> Identity:
        """The caller."""

    def identities(self, organization: str, principals: Sequence[str]) -> Mapping[str, Identity | ReconcilerError]:
        """Principal as written → identity, or why it cannot be told."""


class PeopleReads:
    """Implements `People` over the readers; each fact is read once a batch, and only when it is requested."""

    def __init__(
        self, organization: str, devops: DevOpsReader, memo: Memo, survey: Resolving, given: OperatorNames
    ) -> None:
        self._organization = organization
        self._devops = devops
        self._memo = memo
        self._survey = survey
        self._given = given

    def caller(self) -> Identity | None:
        """The identity that runs, where it was read."""
        known: Identity | None = self._memo.peek(Key("me", self._organization))
        return known

    def operators(self) -> Operators:
        """By their names, by what is recorded, and the caller where this is the deployed service."""
        given, organization = self._given, self._organization
        answers = self._survey.identities(organization, given.names) if given.names else {}
        for answer in answers.values():
            if isinstance(answer, ReconcilerError):
                raise answer
        known = {name: one for name, one in answers.items() if isinstance(one, Identity)}
        recorded = self._memo.get(key_of(_RECORDED, organization), lambda: dict(given.recorded(organization)))
        return operators_of(self._survey.me(organization), given, known, recorded)

    def names_of(self, identity: str) -> Sequence[str]:
        """Names by which a spec may mean an identity, the most readable first; none where it is unknown."""
        found = names_of(self._devops, self._memo, self._organization, [identity])
        return found.get(identity, ())

    def groups_of(self, identity: str) -> frozenset[str]:
        """Two requests."""
        return frozenset(group.id for group in self._memberships(identity))

    def administers_collection(self, identity: str) -> bool:
        """A project may bear the organization's name, so a group of this name counts only where no project has it."""
        named = {
            group.descriptor
            for group in self._memberships(identity)
            if group.name.casefold().endswith(_ADMINISTRATORS) and group.descriptor
        }
        if not named:
            return False
        key = Key("groups of projects", self._organization)
        directory: Sequence[Group] = self._memo.get(key, lambda: self._devops.groups(self._organization))
        return any(group.descriptor in named and not group.project for group in directory)

    def without_members(self, identities: Collection[str]) -> frozenset[str]:
        """One request for all, one more for each level of nested groups."""
        self._members(sorted(identities))
        return frozenset(one for one in identities if self._stands_for_none(one))

    def _memberships(self, identity: str) -> Sequence[Group]:
        key = Key(_MEMBERSHIPS, self._organization, detail=identity)
        return self._memo.get(key, lambda: tuple(self._devops.memberships(self._organization, identity)))

    def _stands_for_none(self, identity: str) -> bool:
        """Reads downwards, level by level, until one member that is no group is found."""
        seen, level = {identity}, [identity]
        while level:
            some, level = level[:_CHUNK], level[_CHUNK:]
            found = self._members(some)
            if any(one in found and found[one] is None for one in some):
                return False
            below = dict.fromkeys(member for one in some for member in found.get(one) or ())
            level += [one for one in below if one not in seen]
            seen.update(below)
        return True

    def _members(self, identities: Sequence[str]) -> dict[str, tuple[str, ...] | None]:
        keys = {Key(_MEMBERS, self._organization, detail=one): one for one in identities}

        def fetch(wanted: Sequence[Key]) -> Mapping[Key, Any]:
            found = self._devops.members(self._organization, [keys[key] for key in wanted])
            return {key: (found[keys[key]],) for key in wanted if keys[key] in found}

        known = self._memo.many(tuple(keys), fetch)
        return {keys[key]: value[0] for key, value in known.items() if value is not None}
