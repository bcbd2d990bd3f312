"""The file of capabilities: what is written is what is read, and what is wrong is told with its place and its remedy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.survey.capabilities import CAREFUL, QUESTIONS, Beliefs, ProbeQuestion
from reconciler.survey.capabilities.answers import AnswerEvidence, Capabilities, CapabilityAnswer, OrganizationAnswers
from reconciler.survey.capabilities.document import CapabilitiesInvalid, changes, load, text
from tests.examples import tries

AT = "2026-11-22T16:00:00Z"
NOON = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
HEAD = f"format: reconciler/capabilities/v1\norganizations:\n  prime:\n    asked: {AT}\n    answers:\n"


def answered(question: ProbeQuestion) -> st.SearchStrategy[CapabilityAnswer]:
    words = [("seen yes", question.yes), *(("seen no", word) for word in question.no), ("could not tell", "")]
    names = st.from_regex(r"\A[A-Za-z][A-Za-z0-9 -]{0,20}[a-z]\Z")
    evidence = st.builds(
        AnswerEvidence,
        status=st.lists(st.integers(100, 599), max_size=3),
        counts=st.dictionaries(names, st.integers(0, 10**6), max_size=3),
        headers=st.lists(names, max_size=2),
    )
    why = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=60)
    return st.sampled_from(words).flatmap(
        lambda pair: st.builds(
            CapabilityAnswer, verdict=st.just(pair[0]), answer=st.just(pair[1]), why=why, evidence=evidence
        )
    )


def asked(name: str, word: str, verdict: str = "seen yes", *, agreed: int = 3, at: str = AT) -> Capabilities:
    answer = CapabilityAnswer.model_validate(
        {"verdict": verdict, "answer": word, "evidence": {"counts": {"agreed": agreed}}}
    )
    return Capabilities(organizations={"prime": OrganizationAnswers(asked=at, answers={name: answer})})


def problems(data: str | bytes) -> tuple[str, ...]:
    with pytest.raises(CapabilitiesInvalid) as caught:
        load("c.yaml", data.encode() if isinstance(data, str) else data)
    assert str(caught.value) == "; ".join(caught.value.problems)
    return caught.value.problems


@settings(max_examples=tries(20, soaked=40))
@given(
    st.dictionaries(
        st.from_regex(r"\A[a-z][a-z0-9-]{0,20}[a-z]\Z"),
        st.builds(
            OrganizationAnswers,
            asked=st.just(AT),
            answers=st.fixed_dictionaries({}, optional={q.name: answered(q) for q in QUESTIONS if q.asked}),
        ),
        max_size=3,
    )
)
def test_what_is_written_is_what_is_read(organizations: dict[str, OrganizationAnswers]) -> None:
    written = text(Capabilities(organizations=organizations))

    assert load("c.yaml", written.encode()).organizations == organizations


@pytest.mark.parametrize("why", ["1e+100", "0x1f", "-.inf", "12:30:45", "+1", "2026-11-22", "~", "yes", "* a", ""])
def test_a_reason_that_looks_like_something_else_is_read_as_it_was_said(why: str) -> None:
    answer = CapabilityAnswer(verdict="could not tell", why=why)
    told = Capabilities(organizations={"prime": OrganizationAnswers(asked=AT, answers={"authorized-list": answer})})

    assert load("c.yaml", text(told).encode()).organizations == told.organizations


def test_the_file_tells_people_what_was_left_to_them() -> None:
    left = load("c.yaml", text(Capabilities()).encode()).not_asked

    assert set(left) == {question.name for question in QUESTIONS if question.not_asked}
    assert all(set(one) == {"because", "byHand"} for one in left.values())


def test_json_is_read_as_well() -> None:
    assert load("c.json", b'{"format": "reconciler/capabilities/v1", "organizations": {}}') == Capabilities()


@pytest.mark.parametrize(
    ("body", "problem", "reason"),
    [
        ("", "c.yaml:1: holds 0 documents; write one, `probe` makes it", "an empty file is no file of answers"),
        ("a: [", "c.yaml:2: is not YAML: did not find expected node content; see YAML 1.2", "half a file"),
        ("- 1", "c.yaml:1: is a list; write a mapping", "another form"),
        ("organizations: {}", "c.yaml:1: format: is missing; add it, or let `probe` write the file", "no version"),
        (
            "format: reconciler/capabilities/v2",
            "c.yaml:1: format: is reconciler/capabilities/v2; write reconciler/capabilities/v1",
            "another version may mean something else by the same word",
        ),
        (
            "format: reconciler/capabilities/v1\norganisations: {}",
            "c.yaml:2: organisations: is not a field; did you mean organizations?",
            "a field that nobody reads would silently not count",
        ),
        (
            "format: reconciler/capabilities/v1\nqwxz: {}",
            (
                "c.yaml:2: qwxz: is not a field; known are answer, answers, asked, counts, evidence, format, headers, "
                "notAsked, organizations, status, …"
            ),
            "with no field near it",
        ),
        (
            "format: reconciler/capabilities/v1\norganizations: {prime: {asked: yesterday, answers: {}}}",
            "c.yaml:2: organizations.prime.asked: is no moment; write it as 2026-11-22T16:00:00Z",
            "whether an answer is too old has to be known",
        ),
        (
            "format: reconciler/capabilities/v1\norganizations: {prime: {asked: 5, answers: {}}}",
            "c.yaml:2: organizations.prime.asked: is read as a number, 5; write it in quotes: '5'",
            "the usual slip of YAML",
        ),
        (
            f"format: reconciler/capabilities/v1\norganizations: {{Prime: {{asked: {AT}, answers: {{}}}}}}",
            "c.yaml:2: organizations.Prime: is not in lower case; write prime",
            "it would never be looked up",
        ),
        (
            f"{HEAD}      authorised-list: {{verdict: seen yes, answer: complete}}",
            (
                "c.yaml:6: organizations.prime.answers.authorised-list: is no question that is asked; "
                "did you mean authorized-list?"
            ),
            "a misspelt question",
        ),
        (
            f"{HEAD}      second-write: {{verdict: seen yes, answer: refused}}",
            "c.yaml:6: organizations.prime.answers.second-write: is no question that is asked; known are "
            + ", ".join(question.name for question in QUESTIONS if question.asked),
            "what is not asked changes nothing, so it is no entry",
        ),
        (
            f"{HEAD}      authorized-list: {{verdict: seen yes, answer: refused}}",
            (
                "c.yaml:6: organizations.prime.answers.authorized-list.verdict: is seen yes, but the answer is refused; "
                "with it goes complete"
            ),
            "yes and refused contradict each other",
        ),
        (
            f"{HEAD}      authorized-list: {{verdict: could not tell, answer: complete}}",
            (
                "c.yaml:6: organizations.prime.answers.authorized-list.verdict: is could not tell, but the answer is "
                "complete; with it goes no answer"
            ),
            "what could not be told has no answer",
        ),
        (
            f"{HEAD}      arm-open-access: {{verdict: seen no}}",
            (
                "c.yaml:6: organizations.prime.answers.arm-open-access.verdict: is seen no, which this question cannot "
                "have; write could not tell"
            ),
            "that nothing was echoed proves nothing",
        ),
        (
            f"{HEAD}      authorized-list: {{verdict: yes, answer: complete}}",
            (
                "c.yaml:6: organizations.prime.answers.authorized-list.verdict: is yes; write seen yes, seen no or could "
                "not tell"
            ),
            "another word for the verdict",
        ),
        (
            f"{HEAD}      pool-roles: {{verdict: could not tell, why: {'x' * 401}}}",
            "c.yaml:6: organizations.prime.answers.pool-roles.why: is too long; the most is 400 characters",
            "a file is for reading",
        ),
        (
            f"{HEAD}      pool-roles: {{verdict: could not tell, evidence: {{counts: {{ann@fabrikam.com: 1}}}}}}",
            (
                "c.yaml:6: organizations.prime.answers.pool-roles.evidence.counts.ann@fabrikam.com: is ann@fabrikam.com; "
                "write one name of letters, digits, blanks and hyphens, of at most 40 characters"
            ),
            "evidence has no place for people",
        ),
        (
            f"{HEAD}      pool-roles: {{verdict: could not tell}}\n      pool-roles: {{verdict: could not tell}}",
            "c.yaml:7: organizations.prime.answers.pool-roles: is written twice, first in line 6; keep one",
            "which of two answers would count",
        ),
    ],
)
def test_a_problem_is_one_line_with_file_line_and_remedy(body: str, problem: str, reason: str) -> None:
    assert problems(body) == (problem,), reason


def test_every_problem_is_told_and_not_the_first_alone() -> None:
    found = problems(f"{HEAD}      pool-rolls: {{verdict: seen yes}}\n      rate-headers: {{verdict: seen no}}\n")

    assert [line.split(":")[1] for line in found] == ["6", "7"]


def test_what_became_of_answers_is_one_line_each() -> None:
    before = asked("authorized-list", "complete")
    after = asked("authorized-list", "incomplete", "seen no")

    assert changes(before, after) == ["prime: authorized-list: seen yes (complete) → seen no (incomplete)"]
    assert changes(before, before) == []
    assert changes(Capabilities(), after) == ["prime: was not asked before"]
    assert changes(asked("pool-roles", "", "could not tell"), before) == [
        "prime: authorized-list: not asked → seen yes (complete)",
        "prime: pool-roles: could not tell → not asked",
    ]


def test_another_count_is_no_change() -> None:
    """Estates grow every day; a check that ends with 2 for that is soon not looked at."""
    assert changes(asked("authorized-list", "complete", agreed=3), asked("authorized-list", "complete", agreed=9)) == []


# --- what follows ---


@pytest.mark.parametrize(
    ("known", "beliefs", "reason"),
    [
        (asked("authorized-list", "complete"), Beliefs(authorized="complete"), "its silence counts"),
        (asked("authorized-list", "complete", agreed=2), CAREFUL, "two witnesses are too few, whoever wrote them"),
        (asked("authorized-list", "incomplete", "seen no"), Beliefs(authorized="incomplete"), "it never counts"),
        (asked("authorized-list", "refused", "seen no"), Beliefs(authorized="refused"), "it is not asked for"),
        (asked("authorized-list", "", "could not tell"), CAREFUL, "nothing was found out"),
        (asked("organization-queue-list", "complete"), Beliefs(queues_everywhere=True), "one list for all projects"),
        (asked("organization-queue-list", "refused", "seen no"), CAREFUL, "as without a file"),
        (asked("arm-open-access", "echoed"), CAREFUL, "what ARM echoes is never compared, echoed or not"),
        (asked("missing-queue-permissions", "not-found"), CAREFUL, "it is no existence test in either case"),
    ],
)
def test_what_follows_from_an_answer(known: Capabilities, beliefs: Beliefs, reason: str) -> None:
    assert known.beliefs(NOON).get("prime", CAREFUL) == beliefs, reason


def test_an_answer_that_is_too_old_counts_only_where_it_makes_the_operator_more_careful() -> None:
    late = NOON + timedelta(days=91)

    assert asked("authorized-list", "complete").beliefs(late) == {}
    assert asked("authorized-list", "refused", "seen no").beliefs(late) == {}
    assert asked("organization-queue-list", "complete").beliefs(late) == {}
    careful = asked("authorized-list", "incomplete", "seen no")
    assert careful.beliefs(late) == {"prime": Beliefs(authorized="incomplete")}
    assert careful.stale(late) == {"prime": 91}
    assert careful.stale(late, days=100) == {}


def test_an_answer_from_the_future_does_not_count() -> None:
    """Else a slip of the year would make it count for ever."""
    assert asked("organization-queue-list", "complete", at="2036-11-22T16:00:00Z").beliefs(NOON) == {}


def test_no_belief_that_saves_reads_is_left_where_something_may_be_written() -> None:
    trusting = Beliefs(authorized="complete", queues_everywhere=True)

    assert trusting.trusting
    assert trusting.precise == CAREFUL
    assert Beliefs(authorized="incomplete").precise == Beliefs(authorized="incomplete")
    assert not Beliefs(authorized="refused").trusting


def test_there_are_sixteen_questions_and_each_is_asked_or_told_how_to_ask() -> None:
    assert [question.number for question in QUESTIONS] == list(range(1, 17))
    for question in QUESTIONS:
        assert question.asked or question.not_asked
        assert bool(question.not_asked) == bool(question.by_hand)


@given(st.from_regex(r"x[a-zA-Z]{3,8}", fullmatch=True), st.sampled_from([0, 2, 4, 6, 8]))
def test_a_key_that_is_unknown_is_named_wherever_it_stands(key: str, indent: int) -> None:
    """In the file, an organization, a list of answers, an answer: nothing is passed over."""
    answer = "      organization-queue-list:\n        verdict: seen yes\n        answer: listed\n"
    lines = f"{HEAD}{answer}".splitlines()
    at = {0: 1, 2: 2, 4: 3, 6: 5, 8: 6}[indent]
    lines.insert(at, f"{' ' * indent}{key}: x")

    assert any(key in problem for problem in problems("\n".join(lines) + "\n"))
