r"""Single pipelines: found by path or id, authorized one by one, and taken only from an exclusive list."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.documents.spelling import ADVISED
from reconciler.errors import Forbidden, Unavailable
from reconciler.facets import pipelines
from reconciler.facets.pipelines import DesiredPipelines, ObservedPipelines
from reconciler.facets.support.observing import target_of
from reconciler.plan.model import Action, GapKind, Risk, Route
from reconciler.plan.policy import Policy
from reconciler.plan.targets import PipelineAuthorization, QueuePlace
from reconciler.ports.devops import Pipeline, Project, Queue
from reconciler.spec.model import PipelineGrant, Spec
from tests.facets.frame import PRIME, exception, look, organization, settle, spec
from tests.facets.world import POOL, Org, World

WEB, APP = Project("web", "Web"), Project("app", "App")
QUEUE = Queue(1, POOL.name, "web", 7)
NIGHTLY, WEEKLY, CHECK = Pipeline(11, "\\release\\nightly"), Pipeline(12, "\\release\\weekly"), Pipeline(13, "\\check")
ONLY = [pipelines.FACET]


def world_with(*authorized: int, opened: bool = False) -> World:
    queues = {("web", 7): QUEUE, ("app", 7): Queue(2, POOL.name, "app", 7)}
    org = Org([WEB, APP], queues=queues, open={1} if opened else set(), authorized={1: set(authorized)})
    org.pipelines = {"web": [NIGHTLY, WEEKLY, CHECK]}
    return World({PRIME: org})


def wants(*names: str | int, exclusive: bool = False, project: str = "Web", flag: bool | None = False) -> Spec:
    grants = [PipelineGrant(PRIME, project, names, exclusive)]
    return spec(organization(PRIME, "Web", "App", open_access=flag), pipelines=grants)


def test_a_pipeline_is_authorized_by_its_path() -> None:
    change = look(world_with(), wants("\\Release\\Nightly"), facets=ONLY).changes[0]

    assert (change.kind, change.subject) == ("pipeline", "fabrikam-prime/Web \\release\\nightly (#11)")
    assert (change.action, change.before, change.after) == (Action.CREATE, None, "authorized")
    assert (change.risk, change.route, change.note) == (Risk.WIDENS, Route.DEVOPS, "")
    assert change.target == PipelineAuthorization(
        QueuePlace(PRIME, "web", "Web", 1, 7), pipeline_id=11, pipeline="\\Release\\Nightly", authorized=True
    )


@pytest.mark.parametrize(
    ("names", "exclusive", "authorized", "left", "reason"),
    [
        ((11,), False, {12}, {11, 12}, "a list is added to what is there"),
        (("\\release\\nightly", 11), False, set(), {11}, "path and id of one pipeline are one"),
        ((11,), True, {12, 99}, {11}, "an exclusive list takes the others, also those that nobody can see"),
        ((), True, {11, 12}, set(), "an empty exclusive list takes all"),
        ((), False, {11}, {11}, "an empty list alone takes nothing"),
        (("\\check", "\\release\\nightlie"), True, {11, 12, 99}, {11, 13, 99}, "what may be the lost one is kept"),
        (("\\check", 98), True, {12, 99}, {13, 99}, "an id that nobody sees has no nearest name"),
    ],
)
def test_what_is_left_authorized(
    names: tuple[str | int, ...], exclusive: bool, authorized: set[int], left: set[int], reason: str
) -> None:
    world = world_with(*authorized)

    last = settle(world, wants(*names, exclusive=exclusive), facets=ONLY)

    assert (last.changes, world.organizations[PRIME].authorized[1]) == ((), left), reason


def test_an_exclusive_list_takes_nothing_while_it_has_more_unknown_names_than_are_compared() -> None:
    """One of those that are not compared may mean any line."""
    world = world_with(11, 12, 99)
    unknown = [f"\\gone\\{number:02d}" for number in range(ADVISED)]

    taken = look(world, wants(*unknown, exclusive=True), facets=ONLY)
    kept = look(world, wants(*unknown, "\\release\\nightlie", exclusive=True), facets=ONLY)

    assert [change.before for change in taken.changes] == ["authorized", "authorized"]
    assert (len(taken.gaps), len(kept.gaps), kept.changes) == (ADVISED, ADVISED + 1, ())
    assert "it does not exist or is hidden from the operator" in kept.gaps[-1].message


def test_a_removal_names_what_goes() -> None:
    changes = look(world_with(12, 99), wants(exclusive=True), facets=ONLY).changes

    assert [(c.subject, c.action, c.before, c.after, c.risk) for c in changes] == [
        ("fabrikam-prime/Web #99", Action.REMOVE, "authorized", None, Risk.NARROWS),
        ("fabrikam-prime/Web \\release\\weekly (#12)", Action.REMOVE, "authorized", None, Risk.NARROWS),
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "\\release\\nightlie",
            "fabrikam-prime/Web: no visible pipeline is called \\release\\nightlie; nearest is \\release\\nightly",
        ),
        (
            "\\nothing-like-it",
            (
                "fabrikam-prime/Web: no visible pipeline is called \\nothing-like-it; "
                "it does not exist or is hidden from the operator"
            ),
        ),
        (98, "fabrikam-prime/Web: no visible pipeline has the id 98; it does not exist or is hidden from the operator"),
    ],
)
def test_what_resolves_to_nothing_is_told_and_stops_no_other(name: str | int, message: str) -> None:
    """The service would take any number, and the pipeline that gets it one day would be anybody's."""
    seen = look(world_with(), wants(name, "\\check"), facets=ONLY)

    assert [target_of(change, PipelineAuthorization).pipeline_id for change in seen.changes] == [13]
    assert [(gap.kind, gap.message) for gap in seen.gaps] == [(GapKind.DEGRADED, message)]


def test_pipelines_are_authorized_under_open_access_and_count_when_it_ends() -> None:
    change = look(world_with(opened=True), wants(11, flag=True), facets=ONLY).changes[0]

    assert change.note == "all pipelines may use the queue now: open access is on"


@pytest.mark.parametrize(
    ("flag", "opened", "gaps", "reason"),
    [
        (None, True, 1, "nobody is going to close it, so the list keeps nobody out"),
        (False, True, 0, "open access is about to go"),
        (True, True, 0, "an exception of the spec's own making"),
        (None, False, 0, "the list does what it says"),
    ],
)
def test_an_exclusive_list_beside_unmanaged_open_access_is_told(
    flag: bool | None, opened: bool, gaps: int, reason: str
) -> None:
    seen = look(world_with(11, opened=opened), wants(11, exclusive=True, flag=flag), facets=ONLY)

    assert ([gap.kind for gap in seen.gaps], seen.changes) == ([GapKind.DEGRADED] * gaps, ()), reason


def test_an_exception_manages_open_access_too() -> None:
    grants = [PipelineGrant(PRIME, "Web", (11,), exclusive=True)]
    wanted = spec(organization(PRIME, "Web"), exceptions=[exception("Web", allow=False)], pipelines=grants)

    assert look(world_with(11, opened=True), wanted, facets=ONLY).gaps == ()


def test_a_project_without_a_queue_is_not_ready() -> None:
    world = world_with()
    world.organizations[PRIME].queues.clear()

    seen = look(world, wants(11), facets=ONLY)

    assert [(gap.subject, gap.kind) for gap in seen.gaps] == [("fabrikam-prime/Web", GapKind.NOT_READY)]


@pytest.mark.parametrize("read", ["permissions/web", "pipelines/web"])
def test_what_could_not_be_read_is_not_written(read: str) -> None:
    world = world_with(12)
    world.organizations[PRIME].trouble = {read: Forbidden("Web: hidden")}

    seen = look(world, wants(11, exclusive=True), facets=ONLY)

    assert (seen.changes, [(gap.subject, gap.kind) for gap in seen.gaps]) == (
        (),
        [("fabrikam-prime/Web", GapKind.UNKNOWN)],
    )


def test_nothing_is_read_where_no_list_is_given() -> None:
    world = world_with()
    world.organizations[PRIME].trouble = {"pipelines": Unavailable("asked in vain")}

    assert look(world, spec(organization(PRIME, "Web")), facets=ONLY).gaps == ()


def test_a_guard_lets_only_through_what_was_read_for_it() -> None:
    seen = ObservedPipelines(
        PRIME, WEB, QUEUE, False, frozenset({12}), {11: "\\release\\nightly"}, surplus=frozenset({12})
    )
    give, take = pipelines.diff((DesiredPipelines(organization(), ()),), (seen,))
    given, taken = target_of(give, PipelineAuthorization), target_of(take, PipelineAuthorization)
    forged = [
        replace(give, target=replace(given, pipeline_id=13)),
        replace(give, target=replace(given, pipeline="\\check")),
        replace(give, target=replace(given, place=replace(given.place, queue_id=2))),
        replace(give, target=replace(given, place=replace(given.place, project="Another"))),
        replace(take, target=replace(taken, pipeline_id=11)),
    ]

    assert pipelines.guard((seen,), [give, take], Policy()) == []
    assert [r.rule for r in pipelines.guard((seen,), forged, Policy())] == ["pipeline-not-wanted"] * 5


# --- properties ---------------------------------------------------------------------------------------

numbers = st.sampled_from([11, 12, 13, 98, 99])
names = st.lists(numbers | st.sampled_from(["\\check", "\\release\\weekly", "\\gone"]), unique=True, max_size=4)


@given(st.sets(numbers), names, st.booleans(), st.booleans())
def test_any_list_settles_and_takes_only_where_it_is_exclusive(
    held: set[int], listed: list[str | int], exclusive: bool, opened: bool
) -> None:
    world = world_with(*held, opened=opened)
    wanted = wants(*listed, exclusive=exclusive)

    last = settle(world, wanted, facets=ONLY)
    written = len(world.writes)

    left = world.organizations[PRIME].authorized[1]
    known = {pipe.path: pipe.id for pipe in (NIGHTLY, WEEKLY, CHECK)}
    asked = {known.get(one, 0) if isinstance(one, str) else one for one in listed}
    assert last.changes == ()
    assert left - held <= asked & {11, 12, 13}, "nothing is authorized that the spec does not name and nobody sees"
    assert exclusive or held <= left
    assert settle(world, wanted, facets=ONLY).changes == ()
    assert len(world.writes) == written


@given(st.sets(numbers), names, st.booleans())
def test_the_guard_agrees_with_the_difference(held: set[int], listed: list[str | int], exclusive: bool) -> None:
    assert look(world_with(*held), wants(*listed, exclusive=exclusive), facets=ONLY).refusals == ()
