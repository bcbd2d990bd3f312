"""Queues: which are missing, which are not asked about, and that a guess never makes one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import Forbidden, NotFound, Unavailable
from reconciler.facets import queues
from reconciler.facets.queues import ProjectQueue
from reconciler.facets.support.observing import target_of
from reconciler.plan.model import Action, Change, GapKind, Risk
from reconciler.plan.policy import Policy
from reconciler.plan.targets import NewQueue, OpenAccess, ProjectPlace, QueuePlace
from reconciler.ports.devops import AgentPool, Project, Queue
from tests.facets.frame import NOW, PRIME, TAILSPIN, look, organization, settle, spec
from tests.facets.world import POOL, Org, World

WEB, APP = Project("web", "Web"), Project("app", "App")


def queue_of(project: Project, number: int = 40) -> Queue:
    return Queue(number, POOL.name, project.id, POOL.id)


def apply_to(observed: queues.Observed, changes: list[Change]) -> queues.Observed:
    made = {target_of(change, NewQueue).place.project_id for change in changes}
    return tuple(p._replace(queue=queue_of(p.project)) if p.project.id in made else p for p in observed)


@pytest.mark.parametrize(
    ("listed", "created", "reason"),
    [
        ((), ["App", "Web"], "no list means all projects that can be seen"),
        (("web",), ["Web"], "names have no case"),
        (("Web", "WEB"), ["Web"], "two spellings of one project are one"),
    ],
)
def test_every_project_in_reach_gets_a_queue(listed: tuple[str, ...], created: list[str], reason: str) -> None:
    world = World({PRIME: Org([WEB, APP])})

    changes = look(world, spec(organization(PRIME, *listed)), facets=[queues.FACET]).changes

    assert [target_of(change, NewQueue).place.project for change in changes] == created, reason


def test_a_missing_queue_is_made_by_pool_id_after_the_service_had_its_chance() -> None:
    """By name alone the service would make another pool."""
    change = look(World({PRIME: Org([WEB])}), spec(organization()), facets=[queues.FACET]).changes[0]

    assert change.subject == "fabrikam-prime/Web"
    assert (change.action, change.before, change.after) == (Action.CREATE, None, POOL.name)
    assert change.risk is Risk.WIDENS
    assert change.wait_once == "Managed DevOps Pools may still add it"
    assert change.target == NewQueue(ProjectPlace(PRIME, "web", "Web"), pool_id=7, pool_name=POOL.name)


def test_applying_makes_the_queue_and_the_second_look_finds_nothing_to_do() -> None:
    world = World({PRIME: Org([WEB, APP])})

    last = settle(world, spec(organization()), facets=[queues.FACET])

    assert last.changes == ()
    assert sorted(write[2] for write in world.writes) == ["app", "web"]


def test_a_queue_in_a_project_that_is_not_listed_is_left_alone() -> None:
    """Nothing is ever deleted, and no call is spent on looking."""
    world = World({PRIME: Org([WEB, APP], queues={("app", 7): queue_of(APP), ("web", 7): queue_of(WEB)})})

    assert look(world, spec(organization(PRIME, "Web")), facets=[queues.FACET]).changes == ()


def test_a_name_that_does_not_resolve_is_reported_with_the_nearest() -> None:
    """Hidden, renamed or misspelt: the service does not tell, so a person has to."""
    seen = look(World({PRIME: Org([WEB, APP])}), spec(organization(PRIME, "Wbe", "App")), facets=[queues.FACET])

    assert [target_of(change, NewQueue).place.project for change in seen.changes] == ["App"]
    assert [(gap.kind, gap.message) for gap in seen.gaps] == [
        (GapKind.DEGRADED, "fabrikam-prime/Wbe: no visible project has this name; nearest is Web")
    ]


def test_an_agent_pool_that_does_not_exist_yet_is_waited_for() -> None:
    seen = look(World({PRIME: Org([WEB], pools=[])}), spec(organization()), facets=[queues.FACET])

    assert seen.changes == ()
    assert [(gap.kind, gap.subject) for gap in seen.gaps] == [(GapKind.NOT_READY, PRIME)]


def test_trouble_in_one_place_does_not_stop_the_others() -> None:
    world = World({
        PRIME: Org([WEB], trouble={"agent_pool": Unavailable("prime: no answer", retry_after=30)}),
        TAILSPIN: Org([WEB, APP], trouble={"queues/web": Forbidden("tailspin/Web: 403")}),
    })  # fmt: skip

    seen = look(world, spec(organization(TAILSPIN), organization(PRIME)), facets=[queues.FACET])

    assert [change.subject for change in seen.changes] == ["fabrikam-tailspin/App"]
    assert [(gap.subject, gap.kind, gap.reason, gap.retry_after) for gap in seen.gaps] == [
        (PRIME, GapKind.UNKNOWN, "Unavailable", 30),
        ("fabrikam-tailspin/Web", GapKind.UNKNOWN, "Forbidden", None),
    ]


def test_a_hidden_project_degrades_and_is_not_an_absent_queue() -> None:
    world = World({PRIME: Org([WEB], trouble={"queues/web": NotFound("Web is hidden")})})

    seen = look(world, spec(organization()), facets=[queues.FACET])

    assert (seen.changes, [gap.kind for gap in seen.gaps]) == ((), [GapKind.DEGRADED])


def test_a_github_pool_has_no_queues() -> None:
    assert queues.parse(spec(), NOW) is None


def _place(*, queue: Queue | None, pool: AgentPool = POOL) -> ProjectQueue:
    return ProjectQueue(PRIME, pool, WEB, queue)


@pytest.mark.parametrize(
    ("observed", "reason"),
    [
        ((), "a project that was not read"),
        ((_place(queue=queue_of(WEB)),), "a queue that exists"),
        ((_place(queue=None, pool=AgentPool(8, POOL.name)),), "another pool"),
    ],
)
def test_only_a_queue_that_was_seen_missing_is_made(observed: queues.Observed, reason: str) -> None:
    changes = queues.diff((queues.DesiredQueues(organization()),), (_place(queue=None),))

    refusals = queues.guard(observed, changes, Policy())

    assert [refusal.rule for refusal in refusals] == ["queue-not-missing"], reason
    assert "was not read as missing" in refusals[0].message


def test_a_removal_is_refused_whoever_thought_of_it() -> None:
    place = _place(queue=None)
    made = queues.diff((queues.DesiredQueues(organization()),), (place,))[0]
    closing = replace(made, target=OpenAccess(QueuePlace(PRIME, WEB.id, WEB.name, 1, 7), allow=False))
    misnamed = replace(made, target=replace(target_of(made, NewQueue), pool_name="another"))

    assert [refusal.rule for refusal in queues.guard((place,), [closing, misnamed], Policy())] == [
        "queue-not-missing"
    ] * 2


names = st.text("abcXYZ", min_size=1, max_size=3)
places = st.lists(
    st.builds(
        lambda org, name, has: ProjectQueue(
            org, POOL, Project(name, name), queue_of(Project(name, name)) if has else None
        ),
        st.sampled_from([PRIME, TAILSPIN]),
        names,
        st.booleans(),
    ),
    unique_by=lambda place: (place.organization, place.project.id),
).map(tuple)
DESIRED = (queues.DesiredQueues(organization(PRIME)), queues.DesiredQueues(organization(TAILSPIN)))


@given(places)
def test_applying_the_difference_leaves_none(observed: queues.Observed) -> None:
    changes = queues.diff(DESIRED, observed)

    assert all(place.queue for place in apply_to(observed, list(changes)))
    assert queues.diff(DESIRED, apply_to(observed, list(changes))) == []
    assert list(queues.guard(observed, changes, Policy())) == []


@given(places.flatmap(lambda seen: st.tuples(st.just(seen), st.permutations(seen))))
def test_the_order_of_reading_does_not_matter(orders: tuple[queues.Observed, list[ProjectQueue]]) -> None:
    assert queues.diff(DESIRED, orders[0]) == queues.diff(DESIRED, tuple(orders[1]))
