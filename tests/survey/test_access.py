"""Open access from the cheap list: when it is believed, when it is not, and how it is found out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import Forbidden, Rejected, Unavailable
from reconciler.ports.devops import Queue
from reconciler.survey import ListEvidence, SharedSurvey
from reconciler.survey.list_completeness import AFTER_A_MISS
from tests.estate import Estate

ORG = "fabrikam-prime"
SHOWN = {ORG: ListEvidence(agreed=8)}


def look(
    estate: Estate, *, wanted: bool = True, evidence: dict[str, ListEvidence] | None = None, pools: int = 1
) -> SharedSurvey:
    """Ask for every queue of every pool, pool by pool, as the facets do."""
    interest = {ORG: {f"pool-{n}" for n in range(1, pools + 1)}}
    survey = SharedSurvey(estate.readers, interest, evidence)
    estate.calls.clear()
    for pool in range(1, pools + 1):
        queues = [queue for queue in estate.queues[ORG] if queue.pool_id == pool]
        found = survey.open_access(ORG, dict.fromkeys(queues, wanted))
        assert found == {queue: queue.id in estate.open for queue in queues}
    return survey


def estate(projects: int = 20, pools: int = 1, *, opened: bool = True) -> Estate:
    made = Estate()
    made.add(ORG, pools, projects, opened=opened)
    return made


def test_a_list_is_tried_on_eight_pairs_before_its_silence_is_believed() -> None:
    made = estate()

    survey = look(made)

    assert made.calls["permissions"] == 8
    assert survey.learned()[ORG].shown


def test_a_shown_list_is_not_tried_where_nothing_rests_on_its_silence() -> None:
    """What is wanted open and missing from the list is read at once: each such pair is a trial by itself."""
    made = estate()

    look(made, evidence=SHOWN)

    assert made.calls["permissions"] == 0


def test_a_shown_list_is_tried_again_on_one_closed_pair_of_each_pool_in_each_sweep() -> None:
    made = estate(pools=3, opened=False)

    look(made, wanted=False, evidence=SHOWN, pools=3)

    assert made.calls["permissions"] == 3


def test_asking_again_in_one_sweep_tries_no_more() -> None:
    made = estate(opened=False)
    survey = look(made, wanted=False, evidence=SHOWN)

    survey.fresh().open_access(ORG, dict.fromkeys(made.queues[ORG], False))

    assert made.calls["permissions"] == 1


def test_in_time_every_closed_pair_has_its_turn() -> None:
    """The sample is chosen by a cursor, so no queue can stay untried by luck."""
    made = estate(projects=6, pools=3, opened=False)
    evidence, tried = dict(SHOWN), set()

    def note(name: str, args: tuple[object, ...]) -> None:
        if name == "permissions":
            tried.add(args[2])

    made.before = note
    for _ in range(6):
        evidence = look(made, wanted=False, evidence=evidence, pools=3).learned()

    assert tried == {queue.id for queue in made.queues[ORG]}


def test_a_pool_that_is_open_everywhere_does_not_hold_up_the_turns_of_the_others() -> None:
    """Each pool has a turn of its own: one without a closed pair has nothing to try."""
    made = estate(projects=4, pools=2)
    made.open = {queue.id for queue in made.queues[ORG] if queue.pool_id == 1}
    closed = [queue for queue in made.queues[ORG] if queue.pool_id == 2]
    evidence, tried = dict(SHOWN), set()
    made.before = lambda name, args: tried.add(args[2]) if name == "permissions" else None
    for _ in range(4):
        survey = SharedSurvey(made.readers, {ORG: {"pool-1", "pool-2"}}, evidence)
        survey.open_access(ORG, {queue: True for queue in made.queues[ORG] if queue.pool_id == 1})
        survey.open_access(ORG, dict.fromkeys(closed, False))
        evidence = evidence | survey.learned()

    assert tried == {queue.id for queue in closed}


def test_where_nothing_is_open_to_try_it_on_every_closed_pair_is_read() -> None:
    """In sync is read back: what is missing from a list is not closed for that."""
    made = estate(opened=False)

    survey = look(made, wanted=False)

    assert made.calls["permissions"] == 20
    assert survey.learned() == {}


def test_pairs_read_for_want_of_proof_are_proof_for_the_next_time() -> None:
    made = estate()

    survey = look(made, wanted=False)

    assert made.calls["permissions"] == 20
    assert survey.learned()[ORG].shown


def test_a_queue_missing_from_the_list_is_read_before_it_is_called_closed() -> None:
    """A decision to write rests on the authorization itself."""
    made = estate()
    made.open.discard(10001)

    look(made, evidence=SHOWN)

    assert made.calls["permissions"] == 1


def test_a_queue_that_shall_be_closed_and_is_listed_is_read_before_it_is_called_open() -> None:
    made = estate()

    look(made, wanted=False, evidence=SHOWN)

    assert made.calls["permissions"] == 20


def test_a_list_that_leaves_something_out_is_believed_no_longer_from_the_first_miss_on() -> None:
    made = estate()
    made.unlisted = {5001}

    survey = look(made, evidence=SHOWN)
    evidence = survey.learned()

    assert not evidence[ORG].shown
    assert evidence[ORG].misses == 1
    made.open.clear()
    look(made, wanted=False, evidence=evidence)
    assert made.calls["permissions"] == 20


def test_after_a_miss_it_takes_many_pairs_to_be_believed_again() -> None:
    """Three trials without a miss, where one pair was enough before."""
    made = estate()
    evidence = {ORG: ListEvidence(misses=1)}
    shown = []
    for _ in range(3):
        evidence = look(made, evidence=evidence).learned()
        shown.append(evidence[ORG].shown)

    assert shown == [False, False, True]


def test_what_was_opened_between_two_reads_is_no_miss() -> None:
    made = estate(opened=False)
    seen: list[object] = []

    def opened_meanwhile(name: str, args: tuple[object, ...]) -> None:
        if name == "permissions" and not seen:
            seen.append(args)
            made.open.add(1001)

    made.before = opened_meanwhile
    survey = SharedSurvey(made.readers, {ORG: {"pool-1"}}, SHOWN)
    survey.open_access(ORG, dict.fromkeys(made.queues[ORG][:1], True))

    assert survey.learned().get(ORG, ListEvidence()).misses == 0


def test_a_project_that_was_just_written_to_is_no_witness() -> None:
    """Lists lag behind writes; that must not cost the evidence of a whole organization."""
    made = estate()
    made.unlisted = {1001}
    survey = SharedSurvey(made.readers, {ORG: {"pool-1"}}, SHOWN, sample=0)
    survey.forget(ORG, made.queues[ORG][0].project_id, 1001)

    found = survey.open_access(ORG, dict.fromkeys(made.queues[ORG], True))

    assert all(found.values())
    assert survey.learned()[ORG] == replace(SHOWN[ORG], longest=1)


def test_a_fresh_survey_knows_what_was_shown() -> None:
    made = estate()
    survey = look(made).fresh()
    made.calls.clear()

    survey.open_access(ORG, dict.fromkeys(made.queues[ORG], True))

    assert made.calls["permissions"] == 0


def test_a_list_that_cannot_be_read_leaves_its_project_unknown() -> None:
    made = estate(projects=2)

    def refuse(name: str, args: tuple[object, ...]) -> None:
        if name == "authorized" and args[1] == "fabrikam-prime-0001":
            raise Forbidden("project-1: 403")

    made.before = refuse
    survey = SharedSurvey(made.readers, {ORG: {"pool-1"}}, SHOWN, sample=0)
    found = survey.open_access(ORG, dict.fromkeys(made.queues[ORG], True))

    assert [str(value) for value in found.values()] == ["project-1: 403", "True"]


def test_a_pair_that_cannot_be_read_is_unknown_unless_the_list_proves_it_open() -> None:
    made = estate(projects=2)
    made.open.discard(1001)

    def fail(name: str, args: tuple[object, ...]) -> None:
        if name == "permissions":
            raise Unavailable("pair: 503")

    made.before = fail
    survey = SharedSurvey(made.readers, {ORG: {"pool-1"}}, {})
    found = survey.open_access(ORG, dict.fromkeys(made.queues[ORG], True))

    assert [str(value) for value in found.values()] == ["pair: 503", "True"]


def test_nothing_to_ask_costs_nothing() -> None:
    made = estate()

    assert SharedSurvey(made.readers, {ORG: {"pool-1"}}).open_access(ORG, {}) == {}
    assert made.calls == {}


@given(
    st.sets(st.integers(0, 11)),
    st.sets(st.integers(0, 11)),
    st.integers(0, 30),
    st.integers(0, 3),
    st.integers(0, 20),
)
def test_a_wrong_answer_needs_a_list_that_lied_after_it_was_shown(
    opened: set[int], wanted: set[int], agreed: int, misses: int, cursor: int
) -> None:
    """With a complete list every answer is right, whatever is wanted, and whatever was learned."""
    made = estate(projects=12, opened=False)
    queues = made.queues[ORG]
    made.open, made.parallel = {queues[n].id for n in opened}, 1
    survey = SharedSurvey(made.readers, {ORG: {"pool-1"}}, {ORG: ListEvidence(agreed, misses, cursor)})

    found = survey.open_access(ORG, {queue: n in wanted for n, queue in enumerate(queues)})

    assert found == {queue: n in opened for n, queue in enumerate(queues)}


# --- lists that are cut at some length ---


def cut_estate(length: int) -> Estate:
    """Project 1 holds little and is wanted open; project 2 holds three foreign queues, and ours, which is a stray."""
    made = estate(projects=2)
    foreign = [Queue(n, f"foreign-{n}", "fabrikam-prime-0002", 90 + n) for n in (1, 2, 3)]
    made.queues[ORG] += foreign
    made.open |= {queue.id for queue in foreign}
    made.cut = length
    return made


def strays(made: Estate, evidence: dict[str, ListEvidence]) -> tuple[bool, SharedSurvey]:
    """Whether the pool is open in project 2, where it is wanted closed; project 1 is as wanted."""
    survey = SharedSurvey(made.readers, {ORG: {"pool-1"}}, evidence, sample=0)
    wished, stray = (queue for queue in made.queues[ORG] if queue.pool_id == 1)
    made.calls.clear()
    return survey.open_access(ORG, {wished: True, stray: False})[stray] is True, survey


def test_a_stray_beyond_the_end_of_a_list_is_found_at_once_where_the_list_is_the_longest() -> None:
    """The list of a small project was shown; that says nothing of one with more in it, which may be cut."""
    made = cut_estate(3)

    found, survey = strays(made, SHOWN)

    assert found
    assert survey.learned()[ORG].misses == 1


def test_the_longest_list_is_read_pair_by_pair_until_one_that_long_held_what_was_wanted() -> None:
    made = cut_estate(9)
    made.open.discard(next(q.id for q in made.queues[ORG] if (q.pool_id, q.project_id[-1]) == (1, "2")))

    strays(made, SHOWN)
    doubted = made.calls["permissions"]
    strays(made, {ORG: ListEvidence(agreed=8, longest=3)})

    assert (doubted, made.calls["permissions"]) == (1, 0)


def test_a_list_shorter_than_another_is_not_doubted_for_its_length() -> None:
    made = cut_estate(9)
    made.open.discard(next(q.id for q in made.queues[ORG] if (q.pool_id, q.project_id[-1]) == (1, "1")))
    wished, stray = (queue for queue in made.queues[ORG] if queue.pool_id == 1)
    survey = SharedSurvey(made.readers, {ORG: {"pool-1"}}, SHOWN, sample=0)
    made.calls.clear()

    found = survey.open_access(ORG, {wished: False, stray: True})

    assert found == {wished: False, stray: True}
    assert made.calls["permissions"] == 0


# --- a list that is refused ---


def test_where_the_service_rejects_the_list_as_a_request_every_pair_is_read() -> None:
    """Its form without an id is published and not attested: a 400 means that there is no list, not that all is unknown."""
    made = estate(projects=3)
    made.open.discard(2001)

    def reject(name: str, args: tuple[object, ...]) -> None:
        if name == "authorized":
            raise Rejected(f"{args[1]}: 400")

    made.before = reject
    survey = SharedSurvey(made.readers, {ORG: {"pool-1"}}, SHOWN)
    found = survey.open_access(ORG, dict.fromkeys(made.queues[ORG], True))

    assert {queue.id: value for queue, value in found.items()} == {1001: True, 2001: False, 3001: True}
    assert survey.learned() == {}


def test_where_list_and_pair_are_refused_the_pair_says_why() -> None:
    made = estate(projects=1)

    def reject(name: str, args: tuple[object, ...]) -> None:
        if name == "authorized":
            raise Rejected("list: 400")
        if name == "permissions":
            raise Forbidden("pair: 403")

    made.before = reject
    survey = SharedSurvey(made.readers, {ORG: {"pool-1"}}, SHOWN)
    found = survey.open_access(ORG, dict.fromkeys(made.queues[ORG], True))

    assert [str(value) for value in found.values()] == ["pair: 403"]


@given(st.sets(st.integers(0, 11)), st.sets(st.integers(0, 11)), st.sets(st.integers(0, 11)))
def test_where_the_list_was_never_shown_it_can_leave_out_what_it_likes(
    opened: set[int], wanted: set[int], unlisted: set[int]
) -> None:
    """Without one pair that agrees, nothing rests on the list's silence."""
    made = estate(projects=12, opened=False)
    queues = made.queues[ORG]
    made.open, made.parallel = {queues[n].id for n in opened}, 1
    made.unlisted = {queue.id for queue in queues}
    survey = SharedSurvey(made.readers, {ORG: {"pool-1"}})

    found = survey.open_access(ORG, {queue: n in wanted for n, queue in enumerate(queues)})

    assert found == {queue: n in opened for n, queue in enumerate(queues)}


# --- evidence and ledger ---


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100), st.integers(0, 100))
def test_evidence_comes_back_as_it_was_stored(agreed: int, misses: int, cursor: int, longest: int) -> None:
    evidence = ListEvidence(agreed, misses, cursor, longest)

    assert ListEvidence.from_json({**evidence.to_json(), "later": 1}) == evidence


@pytest.mark.parametrize("body", [None, [], {"agreed": "many"}, {"agreed": -1, "misses": True}, {"cursor": None}])
def test_evidence_that_cannot_be_read_is_nothing_learned(body: object) -> None:
    assert ListEvidence.from_json(body) == ListEvidence()


def test_a_miss_outweighs_all_that_agreed() -> None:
    assert not ListEvidence(agreed=AFTER_A_MISS).seen(agreed=7, misses=1).shown


def test_whoever_saw_more_misses_is_right() -> None:
    """Two workers store what they learned about one organization."""
    mine, theirs = ListEvidence(agreed=9, cursor=2), ListEvidence(misses=1, cursor=5)

    assert mine.merged(theirs) == theirs
    assert theirs.merged(mine) == theirs
    assert mine.merged(replace(mine, agreed=1, cursor=1)) == mine
