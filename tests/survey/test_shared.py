"""The shared survey: each fact once, for all pools of a batch, and how many calls that takes."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest

from reconciler.errors import NotFound, NotReady, Rejected, Unavailable
from reconciler.ports.devops import AgentPool, Identity, Project, Queue
from reconciler.spec.model import Mode, Organization, Spec
from reconciler.survey import SharedSurvey
from reconciler.survey.names import RememberedNames
from tests.estate import Estate

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
ORG = "fabrikam-prime"


def spec(name: str, *organizations: str) -> Spec:
    named = tuple(Organization(one, name, (), open_access=True) for one in organizations or (ORG,))
    return Spec(name, SUBSCRIPTION, "rg-build", Mode.ENFORCE, {}, named)


def sweep(estate: Estate, survey: SharedSurvey, pools: int) -> None:
    """What the facets of a converged estate ask, for every pool."""
    for number in range(1, pools + 1):
        one = spec(f"pool-{number}")
        survey.arm_pool(one)
        pool = survey.agent_pool(ORG, one.name)
        projects = survey.projects(ORG)
        queues = [queue for queue in survey.queues(ORG, projects, pool).values() if isinstance(queue, Queue)]
        survey.open_access(ORG, dict.fromkeys(queues, True))
        survey.me(ORG)
        survey.inheritance(ORG, pool)
        survey.role_assignments(ORG, "distributedtask.agentpoolrole", str(pool.id))
        survey.identities(ORG, [f"ann-{number}@fabrikam.com"])


def batch(estate: Estate, pools: int) -> SharedSurvey:
    specs = [spec(f"pool-{number}") for number in range(1, pools + 1)]
    for one in specs:
        estate.arm[one.pool_id.casefold()] = {"id": one.pool_id}
    return SharedSurvey.about(estate.readers, specs)


def calls(pools: int, projects: int) -> int:
    estate = Estate()
    estate.add(ORG, pools, projects)
    sweep(estate, batch(estate, pools), pools)
    return estate.reads


@pytest.mark.parametrize(("pools", "projects"), [(1, 1), (5, 40), (20, 100)])
def test_a_converged_sweep_costs_projects_plus_pools(pools: int, projects: int) -> None:
    """Pools times projects would be throttled in any estate of size."""
    assert calls(pools, projects) <= 2 * projects + 2 * pools + 20


def test_twice_the_pools_cost_two_calls_more_for_each() -> None:
    assert calls(20, 30) - calls(10, 30) <= 2 * 10


def test_two_threads_that_ask_at_once_cost_one_call() -> None:
    estate = Estate()
    estate.add(ORG, 1, 12)
    survey = batch(estate, 1)
    both = Barrier(2)

    def ask() -> None:
        both.wait()
        sweep(estate, survey, 1)

    threads = [Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert estate.calls["queues"] == estate.calls["authorized"] == 12
    assert estate.calls["agent pools"] == estate.calls["projects"] == estate.calls["identities"] == 1


def test_one_hidden_project_does_not_stop_the_others() -> None:
    estate = Estate()
    estate.add(ORG, 1, 3)
    survey = batch(estate, 1)
    hidden = estate.projects[ORG][1]

    def refuse(name: str, args: tuple[object, ...]) -> None:
        if hidden.id in args:
            raise NotFound(f"{hidden.name}: hidden")

    estate.before = refuse
    queues = survey.queues(ORG, survey.projects(ORG), AgentPool(1, "pool-1"))
    opened = survey.open_access(ORG, dict.fromkeys(estate.queues[ORG], True))

    assert [type(value).__name__ for _, value in sorted(queues.items())] == ["Queue", "NotFound", "Queue"]
    assert [type(value).__name__ for value in opened.values()] == ["bool", "NotFound", "bool"]


def test_a_failed_read_is_remembered_and_not_repeated_for_every_pool() -> None:
    """A request that just failed is not repeated for each of a thousand pools."""
    estate = Estate()
    survey = SharedSurvey.about(estate.readers, [spec("pool-1")])

    def unwell(name: str, args: tuple[object, ...]) -> None:
        raise Unavailable("fabrikam-prime: 503")

    estate.before = unwell
    for _ in range(3):
        with pytest.raises(Unavailable):
            survey.projects(ORG)

    assert estate.reads == 1


def test_a_bug_is_raised_and_not_remembered() -> None:
    estate = Estate()
    survey = SharedSurvey.about(estate.readers, [spec("pool-1")])

    def broken(name: str, args: tuple[object, ...]) -> None:
        raise KeyError("a bug")

    estate.before = broken
    for _ in range(2):
        with pytest.raises(KeyError):
            survey.projects(ORG)

    assert estate.reads == 2


def test_an_ambiguous_principal_does_not_hide_the_others() -> None:
    """Requested one by one after a refusal, so that each pool gets its own principals."""
    estate = Estate(people={"ann": Identity("1", "Ann")})
    survey = SharedSurvey.about(estate.readers, [spec("pool-1")])

    def ambiguous(name: str, args: tuple[object, ...]) -> None:
        if name == "identities" and "bob" in str(args):
            raise Rejected("bob: two identities have this name")

    estate.before = ambiguous
    with pytest.raises(Rejected):
        survey.identities(ORG, ["ann", "bob"])

    assert survey.identities(ORG, ["ann"]) == {"ann": Identity("1", "Ann")}


def test_a_principal_nobody_knows_is_missing() -> None:
    assert SharedSurvey.about(Estate().readers, []).identities(ORG, ["nobody"]) == {}


def test_an_agent_pool_is_found_by_name_in_any_case() -> None:
    estate = Estate()
    estate.add(ORG, 1, 0)
    survey = batch(estate, 1)

    assert survey.agent_pool(ORG, "POOL-1").id == 1
    with pytest.raises(NotReady, match="there is no agent pool absent"):
        survey.agent_pool(ORG, "absent")


def test_a_pool_outside_the_batch_gets_a_list_of_its_own() -> None:
    """A renamed or foreign pool is still read rightly, if not as cheaply."""
    estate = Estate()
    estate.add(ORG, 3, 2)
    survey = batch(estate, 2)
    projects = survey.projects(ORG)

    for pool in estate.pools[ORG]:
        found = survey.queues(ORG, projects, pool)
        assert [queue.pool_id for queue in found.values() if isinstance(queue, Queue)] == [pool.id, pool.id]
    assert estate.calls["queues"] == 4


def test_a_project_without_a_queue_of_the_pool_says_none() -> None:
    estate = Estate()
    estate.add(ORG, 1, 1)
    survey = batch(estate, 1)

    assert survey.queues(ORG, [Project("elsewhere", "Elsewhere")], AgentPool(1, "pool-1")) == {"elsewhere": None}


def test_a_pool_that_is_not_in_the_acl_inherits() -> None:
    estate = Estate(inherits={(ORG, 1): False})
    estate.add(ORG, 2, 0)
    survey = batch(estate, 2)

    assert [survey.inheritance(ORG, pool) for pool in estate.pools[ORG]] == [False, True]
    assert estate.calls["inheritance"] == 1


# --- forgetting ---


def test_a_write_in_a_project_empties_what_is_known_of_that_project() -> None:
    estate = Estate()
    estate.add(ORG, 1, 3)
    survey = batch(estate, 1)
    sweep(estate, survey, 1)
    estate.calls.clear()

    survey.forget(ORG, estate.projects[ORG][0].id)
    sweep(estate, survey, 1)

    assert estate.calls == {"queues": 1, "authorized": 1}


def test_a_write_on_a_queue_leaves_the_list_of_queues() -> None:
    estate = Estate()
    estate.add(ORG, 1, 3)
    survey = batch(estate, 1)
    sweep(estate, survey, 1)
    estate.calls.clear()

    survey.forget(ORG, estate.projects[ORG][0].id, 1001)
    sweep(estate, survey, 1)

    assert estate.calls == {"authorized": 1}


def test_a_write_in_an_organization_empties_what_people_may_do_there() -> None:
    """No write of ours touches which projects there are, or who a principal is."""
    estate = Estate(people={"ann-1@fabrikam.com": Identity("1", "Ann")})
    estate.add(ORG, 1, 3)
    survey = batch(estate, 1)
    sweep(estate, survey, 1)
    estate.calls.clear()

    survey.forget(ORG)
    sweep(estate, survey, 1)

    assert estate.calls == {"agent pools": 1, "inheritance": 1, "roles": 1}


def test_somebody_who_was_not_known_is_asked_for_again_after_a_write() -> None:
    estate = Estate()
    survey = SharedSurvey.about(estate.readers, [spec("pool-1")])
    assert survey.identities(ORG, ["ann"]) == {}
    estate.people["ann"] = Identity("1", "Ann")

    survey.forget(ORG)

    assert survey.identities(ORG, ["ann"]) == {"ann": Identity("1", "Ann")}


def test_a_write_to_arm_empties_everything() -> None:
    """Azure Resource Manager changes both planes behind our back."""
    estate = Estate()
    estate.add(ORG, 1, 2)
    survey = batch(estate, 1)
    sweep(estate, survey, 1)
    first = estate.reads

    survey.forget()
    sweep(estate, survey, 1)

    assert estate.reads >= 2 * first - 8


def test_a_fresh_survey_remembers_nothing_and_is_about_what_it_is_asked_for() -> None:
    estate = Estate()
    estate.add(ORG, 2, 3)
    survey = batch(estate, 2)
    sweep(estate, survey, 2)
    estate.calls.clear()

    sweep(estate, survey.fresh([spec("pool-1")]), 1)

    assert estate.calls["queues"] == 3
    assert estate.calls["arm pool"] == 1


def test_a_fresh_survey_of_the_whole_batch_is_about_the_same_pools() -> None:
    estate = Estate()
    estate.add(ORG, 2, 3)
    survey = batch(estate, 2)

    sweep(estate, survey.fresh(), 2)

    assert estate.calls["queues"] == 3
    assert estate.calls["arm pools"] == 1


def test_more_pools_than_a_query_string_holds_are_read_in_several_lists() -> None:
    """Ids stand in the query string, which servers cut."""
    estate = Estate()
    estate.add(ORG, 201, 1)
    survey = batch(estate, 201)
    projects = survey.projects(ORG)

    for pool in estate.pools[ORG]:
        assert survey.queues(ORG, projects, pool) != {projects[0].id: None}
    assert estate.calls["queues"] == 2


@pytest.mark.parametrize("remembered", [{}, {f"{ORG}/alpha": "id-zulu"}])
def test_projects_are_sorted_by_the_names_under_which_the_spec_knows_them(remembered: dict[str, str]) -> None:
    """Facets of a pool rely on it, and sort nothing."""
    estate = Estate()
    estate.projects[ORG] = [Project(f"id-{name.lower()}", name) for name in ("Zulu", "beta", "Mike")]
    one = Spec("pool-1", SUBSCRIPTION, "rg-build", Mode.ENFORCE, {}, (Organization(ORG, "pool-1", ("alpha",), None),))

    view = SharedSurvey.about(estate.readers, [one]).knowing(one, RememberedNames(projects=remembered))

    expected = ["alpha", "beta", "Mike"] if remembered else ["beta", "Mike", "Zulu"]
    assert [project.name for project in view.projects(ORG)] == expected
