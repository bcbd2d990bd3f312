"""Any estate, any spec, any sequence of runs by the service and from laptops: no identity that has to keep a right loses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from reconciler.engine.facet import Facet
from reconciler.errors import Unavailable
from reconciler.facets import inheritance, queue_roles, roles
from reconciler.plan.model import Change
from reconciler.plan.policy import Policy
from reconciler.ports.devops import Identity, Project, Queue
from reconciler.spec.model import PoolRoles, QueueRoles, Spec
from reconciler.survey.operators import Operators
from tests.examples import tries
from tests.facets.frame import PRIME, look, organization, settle, spec
from tests.facets.world import COLLECTION, OPERATOR, POOL, Org, World, person

FACETS: list[Facet[Any, Any]] = [roles.FACET, inheritance.FACET, queue_roles.FACET]
ANN, BOB, LAPTOP, OTHER = person("ann"), person("bob"), person("laptop"), person("other")
TEAM, EMPTY, OUTER = (Identity(f"id-{name}", name, f"[{PRIME}]\\{name}") for name in ("team", "empty", "outer"))
GROUPS = [TEAM, EMPTY, OUTER]
EVERYBODY = [OPERATOR, OTHER, LAPTOP, ANN, BOB, *GROUPS]
RUNS = {
    "the service": Operators(OPERATOR, (OPERATOR,)),
    "the service of two": Operators(OPERATOR, (OPERATOR, OTHER)),
    "a laptop that knows the deployment": Operators(LAPTOP, (OPERATOR,)),
    "a laptop that knows of both": Operators(LAPTOP, (OPERATOR, OTHER)),
    "a laptop that knows a stranger": Operators(LAPTOP, (), unknown=("stranger@fabrikam.com",)),
    "a laptop that knows nothing": Operators(LAPTOP, (LAPTOP,), named=False),
}
roles_held = st.dictionaries(
    st.sampled_from([who.id for who in EVERYBODY]), st.sampled_from(["Administrator", "Administrator", "Reader"])
)
names = st.lists(
    st.sampled_from([who.unique_name for who in [OPERATOR, OTHER, LAPTOP, ANN, BOB, *GROUPS]]), unique=True
)


@st.composite
def estates(draw: st.DrawFn) -> World:
    """One organization in any state, with groups in groups and one without members."""
    queue = Queue(1, POOL.name, "web", 7)
    org = Org(
        [Project("web", "Web")],
        queues={("web", 7): queue},
        inherits=draw(st.booleans()),
        assigned=draw(roles_held),
        inherited=draw(roles_held),
        people=EVERYBODY,
        on_queue={1: draw(roles_held)},
        in_project={"web": draw(roles_held)},
    )
    members = st.sets(st.sampled_from([OPERATOR.id, OTHER.id, LAPTOP.id, ANN.id]))
    org.members = {TEAM.id: draw(members), EMPTY.id: set(), OUTER.id: {*draw(members), TEAM.id, EMPTY.id}}
    if draw(st.booleans()):
        org.members[COLLECTION] = draw(members)
    world = World({PRIME: org})
    world.refused_self_assignment = draw(st.booleans())
    return world


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    """Any desired state: mostly exclusive lists and inheritance off, which is what takes rights away."""
    flags = st.sampled_from([True, True, False])
    on_pool = PoolRoles(PRIME, tuple(draw(names)), draw(flags), draw(st.sampled_from([None, False, False, True])))
    on_queue = QueueRoles(PRIME, "Web", {"Administrator": tuple(draw(names))}, draw(flags))
    return spec(organization(PRIME, "Web"), roles=[on_pool], queue_roles=[on_queue])


@dataclass(frozen=True)
class Standing:
    """Who administers the two places, in whatever way."""

    pool: frozenset[str]
    queue: frozenset[str]
    above: frozenset[str]

    def places(self) -> tuple[frozenset[str], frozenset[str]]:
        return self.pool | self.above, self.queue | self.above


def standing(org: Org) -> Standing:
    everything = frozenset(org.standing_for({COLLECTION}) if COLLECTION in org.members else ())
    return Standing(frozenset(org.administrators()), frozenset(org.queue_administrators("web", 1)), everything)


def people_in(identities: frozenset[str]) -> frozenset[str]:
    return identities - {group.id for group in GROUPS} - {COLLECTION}


@settings(max_examples=tries(150, soaked=400), deadline=None)
@given(estates(), specs(), st.lists(st.sampled_from(sorted(RUNS)), min_size=1, max_size=3))
def test_no_sequence_of_runs_locks_out_the_operator_or_the_last_administrator(
    world: World, wanted: Spec, runs: list[str]
) -> None:
    """After every single write, whatever was refused or failed before it."""
    org = world.organizations[PRIME]
    for run in runs:
        org.operators = RUNS[run]
        protected = org.operators.ids
        before = standing(org).places()

        def check(
            change: Change, protected: frozenset[str] = protected, before: tuple[frozenset[str], ...] = before
        ) -> None:
            for was, now in zip(before, standing(org).places(), strict=True):
                assert protected & was <= now, f"{change} took the right of an operator"
                assert people_in(now) or not people_in(was), f"{change} left no person"
            if change.narrows:
                assert protected, f"{change} was made without a known operator"
                event(f"{change.kind} taken")

        settle(world, wanted, facets=FACETS, policy=Policy(max_role_removals=99), after_each=check)


@settings(max_examples=tries(60, soaked=150), deadline=None)
@given(estates(), specs(), st.sampled_from(sorted(RUNS)))
def test_a_settled_estate_costs_no_write_and_what_was_refused_stays_refused(
    world: World, wanted: Spec, run: str
) -> None:
    """Refusals are by what is there, so our own writes of the same estate never lift them."""
    world.organizations[PRIME].operators = RUNS[run]
    shown = {refusal.change.id for refusal in look(world, wanted, facets=FACETS).refusals}
    done: list[str] = []

    last = settle(world, wanted, facets=FACETS, after_each=lambda change: done.append(change.id))
    written = len(world.writes)
    settle(world, wanted, facets=FACETS)

    assert not shown & set(done)
    assert len(world.writes) == written
    assert all(change.awaits or world.refused_self_assignment or not _may(world) for change in last.changes)


def _may(world: World) -> bool:
    """Whether the caller may write on the agent pool at all."""
    org = world.organizations[PRIME]
    return org.caller in org.administrators()


@given(estates(), specs(), st.sampled_from(["identities", "role_assignments", "operators", "inheritance"]))
def test_where_something_is_not_read_nothing_is_taken_away(world: World, wanted: Spec, blind: str) -> None:
    """A failed read is no absence, and no leave to narrow."""
    org = world.organizations[PRIME]
    assume(blind != "identities" or wanted.access.roles[0].administrators)
    org.trouble = {blind: Unavailable("no answer")}
    before = (dict(org.assigned), org.inherits)

    settle(world, wanted, facets=[roles.FACET, inheritance.FACET])

    assert before[0].keys() <= org.assigned.keys()
    assert org.inherits or not before[1]
