"""What the planner itself decides about changes and gaps of any facet: nothing is destroyed or moved blindly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from reconciler.engine.facet import Facet, Observation
from reconciler.engine.planner import AnyFacet, Planner, gap_of
from reconciler.errors import Forbidden, Unavailable
from reconciler.plan.model import Change, Gap, GapKind, Plan, Refusal
from reconciler.plan.order import GRANTS, READS
from reconciler.plan.policy import Policy
from reconciler.plan.targets import (
    AgentPoolPlace,
    NewQueue,
    OpenAccess,
    ProjectPlace,
    QueuePlace,
    ReplacePool,
    RoleAssignmentChange,
)
from reconciler.spec.model import Spec
from tests.engine.stage import ORG, OTHER, SPEC, Stage, converged

OPEN = Change("a", "open access", f"{ORG}/p", None, True, OpenAccess(QueuePlace(ORG, "p", "p", 7, 1), allow=True))
REPLACE = Change("b", "pool", "pool-1", "x", "y", ReplacePool(SPEC.pool_id, {}, ("location",)))
QUEUE = Change("a", "queue", f"{ORG}/p", None, "pool-1", NewQueue(ProjectPlace(ORG, "p", "p"), 1, "pool-1"))
DARK = Gap("a", f"{ORG}/q", GapKind.UNKNOWN, "Unavailable", "q: 503")
DIM = Gap("b", ORG, GapKind.DEGRADED, "NotFound", "z: hidden")
COMING = Gap("a", f"{ORG}/p", GapKind.NOT_READY, "NotReady", "p: no queue yet")


def role(who: str, *, grant: bool, organization: str = ORG, facet: str = "a") -> Change:
    before, after = (None, "Administrator") if grant else ("Administrator", None)
    target = RoleAssignmentChange(AgentPoolPlace(organization, 1), who, who, before, after)
    return Change(facet, "administrator", f"{organization} {who}", before, after, target)


class Looks:
    """How often the facets were asked, and what the guard of the whole plan was shown."""

    def __init__(self) -> None:
        self.times = 0
        self.shown: list[list[str]] = []

    def facet(self, name: str, *rounds: tuple[Sequence[Change], Sequence[Gap]], roles: bool = False) -> AnyFacet:
        """One that sees this in the first look, the next in the second one, and the last in each after that."""
        seen: list[None] = []

        def observe(*_: object) -> Observation[Any]:
            changes, gaps = rounds[min(len(seen), len(rounds) - 1)]
            seen.append(None)
            self.times = max(self.times, len(seen))
            return Observation(changes, tuple(gaps))

        kind = AgentPoolPlace if roles else None
        return Facet(name, name, lambda *_: True, observe, lambda _, found: found, lambda *_: (), lambda *_: None, kind)

    def refuse(self, *ids: str, after: str = "") -> Any:
        """A guard of whole plans that refuses these, once it is shown `after`."""

        def guard(_: Spec, changes: Sequence[Change], policy: Policy, *, today: date | None = None) -> list[Refusal]:
            self.shown.append([one.id for one in changes])
            assert policy == Policy()
            assert today is not None
            known = not after or after in self.shown[-1]
            return [Refusal(one, "no", f"{one.subject}: no") for one in changes if one.id in ids and known]

        return guard


def plan(*facets: AnyFacet, refuse: Any = None) -> Plan:
    stage: Stage = converged()
    planner = Planner(
        facets, stage.estate.readers, Policy(), stage.clock, refuse=refuse or Looks().refuse(), margin=None
    )
    return planner.plan(SPEC, planner.survey([SPEC]), "c0ffee")


def told(found: Plan) -> list[tuple[str, str, str]]:
    return [(one.change.id, one.rule, one.message) for one in found.refusals]


@pytest.mark.parametrize(
    ("gaps", "first"), [(([DARK], [DIM]), "q: 503"), (([], [DIM]), "z: hidden"), (([replace(DARK, subject="z")], [DIM]), "q: 503")]
)  # fmt: skip
def test_nothing_is_deleted_while_anything_about_the_pool_is_unread(
    gaps: tuple[list[Gap], list[Gap]], first: str
) -> None:
    looks = Looks()

    found = plan(looks.facet("a", ([OPEN], gaps[0])), looks.facet("b", ([REPLACE], gaps[1])))
    assert [one.id for one in found.changes] == [OPEN.id]
    message = f"pool-1: nothing is deleted while something about the pool cannot be read: {first}"
    assert told(found) == [(REPLACE.id, "unseen", message)]
    assert found.refusals[0].change == REPLACE


def test_what_a_guard_refused_before_is_told_as_well() -> None:
    looks = Looks()

    found = plan(looks.facet("a", ([OPEN], [DARK])), looks.facet("b", ([REPLACE], [])), refuse=looks.refuse(OPEN.id))
    assert {(one.change.id, one.rule) for one in found.refusals} == {(OPEN.id, "no"), (REPLACE.id, "unseen")}


def test_a_pool_of_which_all_is_read_may_be_deleted() -> None:
    looks = Looks()

    assert [one.id for one in plan(looks.facet("b", ([REPLACE], []), ([], []))).changes] == [REPLACE.id]


def test_nothing_is_written_for_a_pool_that_is_elsewhere() -> None:
    looks = Looks()
    moved = Gap("b", "pool-1", GapKind.DEGRADED, "Moved", "pool-1: it is in rg-other")

    found = plan(looks.facet("a", ([OPEN], [DARK])), looks.facet("b", ([REPLACE], [moved])))
    assert found.changes == ()
    assert told(found) == [
        (OPEN.id, "moved", f"{ORG}/p: nothing is written: pool-1: it is in rg-other"),
        (REPLACE.id, "moved", "pool-1: nothing is written: pool-1: it is in rg-other"),
    ]


def test_roles_are_taken_after_grants_and_not_on_what_was_not_read() -> None:
    looks = Looks()
    take, give = role("bob", grant=False), role("ann", grant=True)
    elsewhere = replace(role("eve", grant=False, organization=OTHER), facet="a")

    (removal,) = [one for one in plan(looks.facet("a", ([take, give], []), roles=True)).changes if one.after is None]
    assert removal.awaits == GRANTS
    (blind,) = plan(looks.facet("a", ([take], [DARK]), roles=True)).changes
    assert blind.awaits == READS
    (other,) = plan(looks.facet("a", ([elsewhere], [DARK]), roles=True)).changes
    assert other.awaits == ""
    (no_roles,) = plan(looks.facet("a", ([take], [DARK]))).changes
    assert no_roles.awaits == ""


def test_every_removal_goes_with_its_refused_grant() -> None:
    """Also where two facets have one each."""
    looks = Looks()
    lists = [
        (name, [role(f"ann-{name}", grant=True, facet=name), role("bob", grant=False, facet=name)]) for name in "ab"
    ]

    grants = [changes[0].id for _, changes in lists]
    found = plan(*(looks.facet(name, (changes, [])) for name, changes in lists), refuse=looks.refuse(*grants))
    assert found.changes == ()
    assert sorted(one.rule for one in found.refusals) == ["no", "no", "refused-grant", "refused-grant"]


# --- what follows --------------------------------------------------------------------------------------------------

SECOND = replace(OPEN, subject=f"{ORG}/q", target=OpenAccess(QueuePlace(ORG, "q", "q", 8, 1), allow=True))


def test_what_follows_is_all_that_later_looks_find_each_once() -> None:
    looks = Looks()

    found = plan(looks.facet("a", ([QUEUE], [COMING]), ([QUEUE, OPEN], []), ([QUEUE, OPEN, SECOND], [])))
    assert [one.id for one in found.changes] == [QUEUE.id]
    assert [one.id for one in found.following] == [OPEN.id, SECOND.id]


@pytest.mark.parametrize(
    ("changes", "gap", "looks_again"),
    [
        ([QUEUE], DARK, True),
        ([OPEN], COMING, True),
        ([], COMING, True),
        ([OPEN], replace(COMING, bounded=True), False),
        ([OPEN], DARK, False),
        ([OPEN], replace(DARK, bounded=True), False),
    ],
)
def test_facets_look_again_where_something_may_follow(changes: list[Change], gap: Gap, looks_again: bool) -> None:
    looks = Looks()

    plan(looks.facet("a", (changes, [gap])))
    assert (looks.times > 1) is looks_again


@pytest.mark.parametrize(
    ("gap", "later", "foreseen"),
    [
        (COMING, [], True),
        (COMING, [COMING], False),
        (COMING, [replace(COMING, subject=f"{ORG}/x")], True),
        (COMING, [replace(COMING, reason="Missing")], True),
        (DARK, [], False),
        (DARK, [DARK], False),
    ],
)
def test_a_gap_that_the_plan_itself_closes_is_foreseen(gap: Gap, later: list[Gap], foreseen: bool) -> None:
    looks = Looks()

    (told_of,) = plan(looks.facet("a", ([QUEUE], [gap]), ([QUEUE], later))).gaps
    assert told_of == replace(gap, foreseen=foreseen)


def test_what_follows_is_judged_beside_what_comes_before_it() -> None:
    looks = Looks()
    facet = looks.facet("a", ([QUEUE], []), ([QUEUE, OPEN], []), ([QUEUE, OPEN], []))

    found = plan(facet, refuse=looks.refuse(OPEN.id, after=QUEUE.id))
    assert found.following == ()
    assert told(found) == [(OPEN.id, "no", f"{ORG}/p: no")]


def test_a_gap_has_the_words_of_its_error() -> None:
    assert gap_of("a", ORG, Forbidden("a: 403")) == Gap("a", ORG, GapKind.UNKNOWN, "Forbidden", "a: 403", None)
    assert gap_of("a", "", Unavailable("503", retry_after=7)).message == "503"
