"""Open access: which project is open until when, and that nothing opens without a spec."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import NotFound, Unavailable
from reconciler.facets import open_access
from reconciler.facets.open_access import Flags, Opening
from reconciler.facets.support.observing import target_of
from reconciler.plan.model import Action, Change, GapKind, Risk, Route
from reconciler.plan.policy import Policy
from reconciler.plan.targets import OpenAccess, QueuePlace
from reconciler.ports.devops import Project, Queue
from reconciler.spec.model import OpenAccessException, Organization
from tests.facets.frame import NOW, PRIME, TAILSPIN, exception, look, organization, settle, spec
from tests.facets.world import POOL, Org, World

WEB, APP = Project("web", "Web"), Project("app", "App")
ONLY = [open_access.FACET]


def queue_of(project: Project, number: int) -> Queue:
    return Queue(number, POOL.name, project.id, POOL.id)


def world_with(*open_queues: int, name: str = PRIME) -> World:
    """Two projects with queues 1 (Web) and 2 (App)."""
    queues = {(WEB.id, POOL.id): queue_of(WEB, 1), (APP.id, POOL.id): queue_of(APP, 2)}
    return World({name: Org([WEB, APP], queues=queues, open=set(open_queues))})


def apply_to(observed: open_access.Observed, changes: list[Change]) -> open_access.Observed:
    result = {change.subject: target_of(change, OpenAccess).allow for change in changes}
    return tuple(seen._replace(open=result.get(seen.subject, seen.open)) for seen in observed)


@pytest.mark.parametrize(
    ("flag", "exceptions", "wanted", "reason"),
    [
        (True, [], True, "the organization's flag counts for every project"),
        (False, [], False, "also where it closes"),
        (None, [], None, "what the spec does not name is not managed"),
        (False, [exception("Web", allow=True)], True, "an exception without a date counts for ever"),
        (True, [exception("WEB", allow=False)], False, "names have no case"),
        (False, [exception("App", allow=True)], False, "an exception is for its own project"),
        (False, [exception("Web", allow=True, org=TAILSPIN)], False, "and for its own organization"),
        (False, [exception("Web", allow=True, until=date(2026, 11, 2))], True, "the last day still counts"),
        (False, [exception("Web", allow=True, until=date(2026, 11, 1))], False, "afterwards the flag counts again"),
        (None, [exception("Web", allow=True, until=date(2026, 11, 1))], None, "without a flag nothing is left"),
        (
            True,
            [exception("Web", allow=True), exception("Web", allow=False)],
            False,
            "of two that contradict each other the one that closes counts",
        ),
        (
            True,
            [exception("Web", allow=False), exception("Web", allow=True, until=date(2026, 12, 31))],
            True,
            "a dated campaign interrupts a standing exception",
        ),
    ],
)
def test_what_is_wanted_of_a_project(
    flag: bool | None, exceptions: list[OpenAccessException], wanted: bool | None, reason: str
) -> None:
    desired = open_access.parse(spec(organization(open_access=flag), exceptions=exceptions), NOW)

    assert (desired[0].wanted("Web") if desired else None) is wanted, reason


@pytest.mark.parametrize(("hour", "in_force"), [(23, True), (25, False)])
def test_days_end_in_utc_whatever_clock_asks(hour: int, in_force: bool) -> None:
    """Somewhere it is tomorrow already; the exception counts to the end of its last day in UTC."""
    far_east = datetime(2026, 12, 31, tzinfo=UTC).astimezone(timezone(timedelta(hours=9))) + timedelta(hours=hour)
    wanted = spec(organization(), exceptions=[exception("Web", allow=True, until=date(2026, 12, 31))])

    assert (open_access.parse(wanted, far_east) is not None) is in_force


def test_a_closed_queue_is_opened() -> None:
    change = look(world_with(2), spec(organization(open_access=True)), facets=ONLY).changes[0]

    assert (change.subject, change.kind) == ("fabrikam-prime/Web", "open access")
    assert (change.action, change.before, change.after) == (Action.CREATE, None, "all pipelines")
    assert (change.risk, change.route, change.note) == (Risk.WIDENS, Route.DEVOPS, "")
    assert change.target == OpenAccess(QueuePlace(PRIME, "web", "Web", 1, 7), allow=True)


def test_an_open_queue_is_closed_where_the_spec_says_so() -> None:
    change = look(world_with(1), spec(organization(PRIME, "Web", open_access=False)), facets=ONLY).changes[0]

    assert (change.action, change.before, change.after) == (Action.REMOVE, "all pipelines", None)
    assert change.risk is Risk.NARROWS


def test_a_dated_exception_says_until_when() -> None:
    wanted = spec(organization(open_access=False), exceptions=[exception("Web", allow=True, until=date(2026, 12, 31))])

    assert [c.note for c in look(world_with(), wanted, facets=ONLY).changes] == ["until 2026-12-31"]


def test_only_the_excepted_project_is_touched_where_the_organization_has_no_flag() -> None:
    wanted = spec(organization(), exceptions=[exception("Web", allow=False)])

    assert [c.subject for c in look(world_with(1, 2), wanted, facets=ONLY).changes] == ["fabrikam-prime/Web"]


def test_an_exception_closes_a_queue_that_was_left_behind_in_an_unlisted_project() -> None:
    """A project that lost its place in the list keeps its queue, and its open access until it is closed by hand."""
    wanted = spec(organization(PRIME, "Web", open_access=True), exceptions=[exception("App", allow=False)])

    assert [c.subject for c in look(world_with(1, 2), wanted, facets=ONLY).changes] == ["fabrikam-prime/App"]


@pytest.mark.parametrize(
    ("project", "kind", "reason"),
    [("Web", GapKind.NOT_READY, "the queue is on its way"), ("App", GapKind.DEGRADED, "nothing will ever make it")],
)
def test_a_switch_needs_its_queue(project: str, kind: GapKind, reason: str) -> None:
    world = World({PRIME: Org([WEB, APP])})
    wanted = spec(organization(PRIME, "Web"), exceptions=[exception(project, allow=True)])

    seen = look(world, wanted, facets=ONLY)

    assert (seen.changes, [(gap.subject, gap.kind) for gap in seen.gaps]) == (
        (),
        [(f"fabrikam-prime/{project}", kind)],
    ), reason


def test_a_misspelt_project_is_reported_once_and_stops_nobody_else() -> None:
    wanted = spec(organization(PRIME, "Wbe", "App", open_access=True), exceptions=[exception("Wbe", allow=False)])

    seen = look(world_with(), wanted, facets=ONLY)

    assert [change.subject for change in seen.changes] == ["fabrikam-prime/App"]
    assert [gap.message for gap in seen.gaps] == [
        "fabrikam-prime/Wbe: no visible project has this name; nearest is Web"
    ]


def test_what_could_not_be_read_is_not_written() -> None:
    world = world_with()
    world.organizations[PRIME].trouble = {
        "open_access/web": Unavailable("Web: cut off"),
        "queues/app": NotFound("App is hidden"),
    }

    seen = look(world, spec(organization(open_access=True)), facets=ONLY)

    assert seen.changes == ()
    assert [(gap.subject, gap.kind) for gap in seen.gaps] == [
        ("fabrikam-prime/App", GapKind.DEGRADED),
        ("fabrikam-prime/Web", GapKind.UNKNOWN),
    ]


def test_all_projects_of_an_organization_that_shows_none_is_no_success() -> None:
    """Without rights one sees nothing, and nothing would look like everything done."""
    seen = look(World({PRIME: Org()}), spec(organization(open_access=True)), facets=ONLY)

    assert [gap.message for gap in seen.gaps] == [
        "fabrikam-prime: all projects use the pool, and the operator can see none"
    ]


def test_the_policy_may_forbid_to_open_but_never_to_close() -> None:
    policy = Policy(open_access=())
    wanted = spec(organization(open_access=True), exceptions=[exception("App", allow=False)])

    seen = look(world_with(2), wanted, facets=ONLY, policy=policy)

    assert [change.subject for change in seen.changes] == ["fabrikam-prime/App"]
    assert [(r.change.subject, r.rule) for r in seen.refusals] == [("fabrikam-prime/Web", "policy-open-access")]


def test_applying_settles() -> None:
    world = world_with(2)

    wanted = spec(organization(open_access=True), exceptions=[exception("App", allow=False)])

    assert settle(world, wanted, facets=ONLY).changes == ()
    assert world.organizations[PRIME].open == {1}
    assert len(world.writes) == 2


@pytest.mark.parametrize(
    ("wanted", "queue", "reason"),
    [(False, 1, "it was read to be closed"), (True, 9, "another queue was read")],
)
def test_a_guard_opens_nothing_that_the_reading_did_not_ask_for(wanted: bool, queue: int, reason: str) -> None:
    seen = Opening(PRIME, WEB, queue_of(WEB, 1), open=False, wanted=True)
    change = open_access.diff((Flags(organization(open_access=True)),), (seen,))[0]

    refusals = open_access.guard((seen._replace(queue=queue_of(WEB, queue), wanted=wanted),), [change], Policy())

    assert [refusal.rule for refusal in refusals] == ["open-access-not-wanted"], reason


# --- properties ---------------------------------------------------------------------------------------

flags = st.sampled_from([None, True, False])
excepted = st.lists(st.builds(exception, st.sampled_from(["Web", "App", "Old"]), allow=st.booleans()), max_size=3)
desires = st.tuples(flags, flags, excepted).map(
    lambda parts: (
        open_access.parse(
            spec(
                organization(PRIME, open_access=parts[0]),
                organization(TAILSPIN, open_access=parts[1]),
                exceptions=parts[2],
            ),
            NOW,
        )
        or ()
    )
)


def observations(desired: open_access.Desired) -> st.SearchStrategy[open_access.Observed]:
    """What observing for a desire may come to: only what is managed, with what it was read for."""
    managed = [
        (flag.organization.name, project, flag.wanted(project.name))
        for flag in desired
        for project in (WEB, APP, Project("old", "Old"))
        if flag.wanted(project.name) is not None
    ]
    return st.lists(st.booleans(), min_size=len(managed), max_size=len(managed)).map(
        lambda switches: tuple(
            Opening(org, project, queue_of(project, number), is_open, wanted is True)
            for number, ((org, project, wanted), is_open) in enumerate(zip(managed, switches, strict=True))
        )
    )


pairs = desires.flatmap(lambda desired: st.tuples(st.just(desired), observations(desired)))


@given(pairs)
def test_applying_the_difference_gives_what_is_wanted(pair: tuple[open_access.Desired, open_access.Observed]) -> None:
    desired, observed = pair
    changes = list(open_access.diff(desired, observed))

    after = apply_to(observed, changes)

    assert all(seen.open is seen.wanted for seen in after)
    assert open_access.diff(desired, after) == []
    assert open_access.guard(observed, changes, Policy()) == []
    assert all((change.risk is Risk.WIDENS) is target_of(change, OpenAccess).allow for change in changes)


@given(pairs.flatmap(lambda pair: st.tuples(st.just(pair), st.permutations(pair[1]), st.permutations(pair[0]))))
def test_order_of_reading_and_of_the_spec_does_not_matter(
    case: tuple[tuple[open_access.Desired, open_access.Observed], list[Opening], list[Flags]],
) -> None:
    (desired, observed), shuffled, turned = case

    assert open_access.diff(desired, observed) == open_access.diff(tuple(turned), tuple(shuffled))


@given(pairs, st.booleans())
def test_no_guarded_change_opens_more_than_was_wanted(
    pair: tuple[open_access.Desired, open_access.Observed], allow: bool
) -> None:
    """Whatever a diff may come to think, what passes the guard is what the reading was for."""
    _, observed = pair
    forged = [
        replace(
            open_access.diff((Flags(Organization(s.organization, "p", (), not s.open)),), (s,))[0],
            target=s.target(allow=allow),
        )
        for s in observed
    ]
    refused = {id(refusal.change) for refusal in open_access.guard(observed, forged, Policy())}

    assert all(seen.wanted is allow for seen, change in zip(observed, forged, strict=True) if id(change) not in refused)
