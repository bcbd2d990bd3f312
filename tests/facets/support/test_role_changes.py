"""What follows from assignments of roles: who gains, who loses, who becomes known, and what is sent."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from reconciler.errors import Refused
from reconciler.facets.support.role_changes import (
    against_member,
    gainers,
    losers,
    member,
    refused,
    unknown_in_devops,
    write,
)
from reconciler.plan.model import Change, GapKind, Refusal
from reconciler.plan.policy import Policy
from reconciler.plan.targets import (
    AgentPoolPlace,
    DirectoryEntry,
    Inheritance,
    QueuePlace,
    RoleAssignmentChange,
    Target,
)

ORG = "fabrikam"
POOL, QUEUE = AgentPoolPlace(ORG, 7), QueuePlace(ORG, "id-web", "Web", 11, 7)
ADMINISTRATOR = "Administrator"
ADVICE = "add the account there, correct the spelling, or let the policy materialise it"


def change(target: Target, subject: str = "fabrikam ann") -> Change:
    return Change("roles", "administrator", subject, None, None, target)


def role(
    who: str, before: str | None, after: str | None, place: AgentPoolPlace | QueuePlace = POOL
) -> RoleAssignmentChange:
    return RoleAssignmentChange(place, who, who, before, after)


CHANGES = [
    change(role("gains", None, ADMINISTRATOR)),
    change(role("rises", "User", "administrator")),
    change(role("uses", None, "User")),
    change(role("falls", ADMINISTRATOR, "User")),
    change(role("goes", ADMINISTRATOR, None)),
    change(role("elsewhere", None, ADMINISTRATOR, QUEUE)),
    change(role("left", "User", None, QUEUE)),
    change(DirectoryEntry(POOL, "new")),
]


def test_gains_and_losses_are_counted_by_place() -> None:
    assert dict(gainers(CHANGES)) == {POOL: {"gains", "rises"}, QUEUE: {"elsewhere"}}
    assert dict(losers(CHANGES)) == {POOL: {"falls", "goes"}, QUEUE: {"left"}}
    other = AgentPoolPlace("contoso", 7)
    assert (gainers(CHANGES)[other], losers(CHANGES)[other]) == (set(), set())


def test_each_objection_is_a_refusal_of_its_change() -> None:
    one, two = (
        change(role("a", None, ADMINISTRATOR), "fabrikam a"),
        change(role("b", None, ADMINISTRATOR), "fabrikam b"),
    )

    found = refused([one, two], lambda given: ("some-rule", "because") if given is two else None)

    assert found == [Refusal(two, "some-rule", "fabrikam b: because")]


def test_a_person_becomes_known_before_the_role_follows() -> None:
    made = member("roles", POOL, "ann@fabrikam.com")

    assert (made.facet, made.kind, made.subject) == ("roles", "member", "fabrikam ann@fabrikam.com")
    assert (made.before, made.after, made.note) == (
        None, "member of the organization", "the role follows once it is known",
    )  # fmt: skip
    assert made.target == DirectoryEntry(POOL, "ann@fabrikam.com")


@pytest.mark.parametrize(
    ("unknown", "policy", "objection"),
    [
        (["ann"], Policy(materialise=True), None),
        ([], Policy(materialise=True), ("unknown-identity", "nothing that was read requires this member")),
        (["bob"], Policy(materialise=True), ("unknown-identity", "nothing that was read requires this member")),
        (["ann"], Policy(),
         ("policy-materialise", f"the organization knows no one of this name; {ADVICE}")),
    ],
)  # fmt: skip
def test_only_an_unknown_person_is_added_and_only_where_the_policy_lets_it(
    unknown: list[str], policy: Policy, objection: tuple[str, str] | None
) -> None:
    assert against_member(DirectoryEntry(POOL, "ann"), unknown, policy) == objection


def test_a_group_or_a_build_service_that_is_not_known_needs_a_person() -> None:
    group, service = f"[{ORG}]\\Gone", f"Web Build Service ({ORG})"
    found = unknown_in_devops("roles", ORG, ["ann@fabrikam.com", group, service])

    assert [(one.facet, one.subject, one.kind, one.reason, one.message) for one in found] == [
        ("roles", f"{ORG} {group}", GapKind.DEGRADED, "NotFound",
         f"{ORG} {group}: no group of this name is known there"),
        ("roles", f"{ORG} {service}", GapKind.DEGRADED, "NotFound",
         f"{ORG} {service}: no build service of this project is known there; the first pipeline that runs creates it"),
    ]  # fmt: skip


@dataclass
class Sent:
    """What was written, in order."""

    calls: list[tuple[str, ...]] = field(default_factory=list)

    def materialise(self, *given: str) -> None:
        self.calls.append(("materialise", *given))

    def assign_role(self, *given: str) -> None:
        self.calls.append(("assign", *given))

    def remove_role(self, *given: str) -> None:
        self.calls.append(("remove", *given))


def test_one_write_is_sent_for_each_change() -> None:
    sent = Sent()
    for target in (
        DirectoryEntry(POOL, "ann"), role("L1", None, ADMINISTRATOR), role("L2", "User", "Reader", QUEUE),
        role("L3", ADMINISTRATOR, None),
    ):  # fmt: skip
        write(change(target), sent)  # type: ignore[arg-type]

    assert sent.calls == [
        ("materialise", ORG, "ann"),
        ("assign", ORG, *POOL.resource, "L1", ADMINISTRATOR),
        ("assign", ORG, *QUEUE.resource, "L2", "Reader"),
        ("remove", ORG, *POOL.resource, "L3"),
    ]


def test_a_target_of_another_facet_is_not_written() -> None:
    sent = Sent()
    foreign = replace(change(Inheritance(POOL, on=True)), facet="roles")

    with pytest.raises(Refused, match="fabrikam ann: facet roles does not write a Inheritance"):
        write(foreign, sent)  # type: ignore[arg-type]
    assert sent.calls == []
