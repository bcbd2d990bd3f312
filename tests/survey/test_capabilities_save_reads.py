"""What `probe` found saves reads; the figures are the point, with and without it, and what stays as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import Rejected, Throttled
from reconciler.ports.devops import AgentPool, Queue
from reconciler.survey import ListEvidence, SharedSurvey
from reconciler.survey.capabilities import CAREFUL, Beliefs
from reconciler.survey.list_completeness import Ledger
from tests.estate import Estate

ORG = "fabrikam-prime"
COMPLETE, INCOMPLETE, REFUSED = (Beliefs(authorized=word) for word in ("complete", "incomplete", "refused"))
EVERYWHERE = Beliefs(queues_everywhere=True)


def estate(projects: int = 20, pools: int = 1, *, opened: bool = True) -> Estate:
    made = Estate(everywhere=set())
    made.add(ORG, pools, projects, opened=opened)
    return made


def survey(
    made: Estate, beliefs: Beliefs, *, pools: int = 1, sample: int = 2, evidence: ListEvidence | None = None
) -> SharedSurvey:
    interest = {ORG: {f"pool-{n}" for n in range(1, pools + 1)}}
    found = SharedSurvey(made.readers, interest, {ORG: evidence or ListEvidence()}, sample=sample)
    return found.believing({ORG: beliefs})


def switches(
    made: Estate, beliefs: Beliefs, *, wanted: bool, sample: int = 2, evidence: ListEvidence | None = None
) -> int:
    """Reads of a look at all queues of one pool; its answers are right."""
    found = survey(made, beliefs, sample=sample, evidence=evidence)
    made.calls.clear()
    answers = found.open_access(ORG, dict.fromkeys(made.queues[ORG], wanted))
    assert answers == {queue: queue.id in made.open for queue in made.queues[ORG]}
    return made.reads - made.calls["agent pools"]


@pytest.mark.parametrize(
    ("beliefs", "reads", "reason"),
    [
        (CAREFUL, 20 + 20, "nothing is open that could show the list to be complete: every list, and every pair"),
        (COMPLETE, 20 + 2, "every list, and two pairs that try it again"),
        (INCOMPLETE, 20 + 20, "its silence never counts"),
        (REFUSED, 20, "no list is requested, every pair is read"),
    ],
)
def test_what_closed_queues_cost(beliefs: Beliefs, reads: int, reason: str) -> None:
    assert switches(estate(opened=False), beliefs, wanted=False) == reads, reason


@pytest.mark.parametrize(
    ("beliefs", "reads", "reason"),
    [
        (CAREFUL, 20 + 8, "eight pairs try the list at first use"),
        (COMPLETE, 20, "nothing here rests on its silence"),
        (INCOMPLETE, 20, "what is in it is open all the same, and there is nothing left to try"),
        (REFUSED, 20, "every pair is read"),
    ],
)
def test_what_open_queues_cost(beliefs: Beliefs, reads: int, reason: str) -> None:
    assert switches(estate(), beliefs, wanted=True) == reads, reason


def test_the_run_of_one_pool_tries_what_it_was_told_as_well() -> None:
    """It tries nothing that was shown before. A list that only `probe` found complete would never be caught there."""
    made = estate(opened=False)

    assert switches(made, COMPLETE, wanted=False, sample=0) == 20 + 2
    assert switches(made, COMPLETE, wanted=False, sample=0, evidence=ListEvidence(agreed=8)) == 20


def test_a_miss_that_was_seen_outweighs_what_was_told() -> None:
    made = estate(opened=False)

    assert switches(made, COMPLETE, wanted=False, evidence=ListEvidence(misses=1)) == 20 + 20


def test_what_was_told_to_be_incomplete_outweighs_what_was_shown() -> None:
    made = estate(opened=False)

    assert switches(made, INCOMPLETE, wanted=False, evidence=ListEvidence(agreed=24)) == 20 + 20


def test_a_list_that_was_told_to_be_complete_and_is_not_is_caught_by_looking_again() -> None:
    """A queue is opened by hand, and the list leaves it out: in time it is tried, and the list no longer counts."""
    made = estate(projects=10, opened=False)
    made.open = {made.queues[ORG][7].id}
    made.unlisted = set(made.open)
    evidence = ListEvidence()
    for _ in range(10 // 2):
        found = survey(made, COMPLETE, evidence=evidence)
        found.open_access(ORG, dict.fromkeys(made.queues[ORG], False))
        evidence = found.learned().get(ORG, evidence)

    assert evidence.misses
    switches(made, COMPLETE, wanted=False, evidence=evidence)
    assert made.calls["permissions"] == 10


@given(
    st.sampled_from([CAREFUL, COMPLETE, INCOMPLETE, REFUSED, EVERYWHERE, Beliefs("complete", queues_everywhere=True)]),
    st.sets(st.integers(0, 11)),
    st.sets(st.integers(0, 11)),
    st.sets(st.integers(0, 11)),
    st.sets(st.integers(0, 11)),
)
def test_what_may_be_written_is_decided_without_any_of_it(
    beliefs: Beliefs, opened: set[int], wanted: set[int], unlisted: set[int], absent: set[int]
) -> None:
    """However wrong the file is: a fresh survey reads as if there were none, where the list was never shown."""
    made = estate(projects=12, opened=False)
    queues = made.queues[ORG]
    made.open = {queues[n].id for n in opened}
    made.unlisted = {queue.id for queue in queues}
    made.everywhere = {queues[n].id for n in unlisted}
    made.queues[ORG] = [queue for n, queue in enumerate(queues) if n not in absent]
    fresh = survey(made, beliefs).fresh()

    there = fresh.queues(ORG, made.projects[ORG], AgentPool(1, "pool-1"))
    seen = fresh.open_access(ORG, {queue: n in wanted for n, queue in enumerate(queues) if n not in absent})

    assert there == {q.project_id: None if n in absent else q for n, q in enumerate(queues)}
    assert seen == {q: n in opened for n, q in enumerate(queues) if n not in absent}
    assert made.calls["queues everywhere"] == 0
    assert not fresh.trusting


# --- queues of all projects by one list ---


def lists(made: Estate, beliefs: Beliefs, pools: int = 1) -> tuple[int, int]:
    """Lists of projects and lists without one, for a look at the queues of all pools; its answers are right."""
    found = survey(made, beliefs, pools=pools)
    for pool in made.pools[ORG][:pools]:
        mine = {queue.project_id: queue for queue in made.queues[ORG] if queue.pool_id == pool.id}
        answers = found.queues(ORG, made.projects[ORG], pool)
        assert answers == {project.id: mine.get(project.id) for project in made.projects[ORG]}
    return made.calls["queues"], made.calls["queues everywhere"]


@pytest.mark.parametrize(("beliefs", "calls"), [(CAREFUL, (20, 0)), (EVERYWHERE, (0, 1))])
def test_queues_of_all_projects_cost_one_list_where_there_is_one(beliefs: Beliefs, calls: tuple[int, int]) -> None:
    assert lists(estate(pools=3), beliefs, pools=3) == calls


def test_a_project_that_is_missing_from_the_list_is_read_by_itself() -> None:
    """A queue that looked missing would be made."""
    made = estate()
    made.everywhere = {queue.id for queue in made.queues[ORG][:3]}

    assert lists(made, EVERYWHERE) == (3, 1)


def test_a_queue_that_is_missing_is_seen_missing_in_its_project() -> None:
    made = estate()
    del made.queues[ORG][5]

    assert lists(made, EVERYWHERE) == (1, 1)


def test_where_the_list_is_not_there_after_all_every_project_is_read() -> None:
    """And it is not requested again by the next pool of the batch."""
    made = estate(pools=2)
    made.everywhere = None

    assert lists(made, EVERYWHERE, pools=2) == (20, 1)


def test_a_list_that_fails_for_a_while_stops_nobody() -> None:
    made = estate()

    def tired(name: str, args: tuple[object, ...]) -> None:
        if name == "queues everywhere":
            raise Throttled("fabrikam-prime: too many")

    made.before = tired

    assert lists(made, EVERYWHERE) == (20, 1)


def test_one_project_is_read_as_cheaply_by_itself() -> None:
    assert lists(estate(projects=1), EVERYWHERE) == (1, 0)


def test_a_project_that_was_written_to_is_read_by_itself() -> None:
    """Lists lag behind writes, and what was just made has to be seen."""
    made = estate(projects=3)
    found = survey(made, EVERYWHERE)
    pool = made.pools[ORG][0]
    found.queues(ORG, made.projects[ORG], pool)
    found.forget(ORG, made.projects[ORG][0].id)
    made.calls.clear()

    found.queues(ORG, made.projects[ORG], pool)

    assert (made.calls["queues"], made.calls["queues everywhere"]) == (1, 0)


def test_of_two_queues_of_one_pair_the_older_counts_in_both_lists() -> None:
    made = estate(projects=2)
    twin = Queue(99_999_999, "pool-1", made.projects[ORG][0].id, 1)
    made.queues[ORG].append(twin)
    pool = made.pools[ORG][0]

    cheap = survey(made, EVERYWHERE).queues(ORG, made.projects[ORG], pool)
    careful = survey(made, CAREFUL).queues(ORG, made.projects[ORG], pool)

    assert cheap == careful


def test_a_list_that_is_refused_by_what_was_told_leaves_its_reason_where_a_pair_fails() -> None:
    made = estate(projects=1)

    def fail(name: str, args: tuple[object, ...]) -> None:
        if name == "permissions":
            raise Rejected("pair: 400")

    made.before = fail
    found = survey(made, REFUSED).open_access(ORG, dict.fromkeys(made.queues[ORG], True))

    assert [str(value) for value in found.values()] == ["pair: 400"]
    assert made.calls["authorized"] == 0


def test_a_ledger_that_was_told_of_gaps_tries_nothing() -> None:
    assert Ledger({}, 2).draw(ORG, [Queue(1, "pool", "p", 1)], capability="incomplete") == ()
