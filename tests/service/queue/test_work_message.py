"""Messages carry keys; everything else in them is for people."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.service.queue.batch import batches, spread_out
from reconciler.service.queue.messages import LATEST, MAX_KEYS, MAX_SCOPE, MAX_SCOPES, WorkMessage, read
from reconciler.service.queue.requests import Concern, works
from reconciler.spec.model import Mode, Organization, Spec
from reconciler.survey import scopes
from tests.keeping import START

TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


def pool(name: str, *organizations: str) -> Spec:
    found = tuple(Organization(one, name, (), None) for one in organizations)
    return Spec(name, "00000000-0000-0000-0000-000000000000", "rg", Mode.ENFORCE, {}, found)


def test_work_is_written_and_read_again() -> None:
    work = WorkMessage(("a", "b-1.2"), "sweep", TRACE)

    assert read(work.text()) == work
    full = WorkMessage(("a",), "audit", TRACE, START, (scopes.arm("a").text(),), START, START)
    assert read(full.text()) == full


def test_a_message_about_an_organization_is_short_and_about_all_its_pools_whatever_their_number() -> None:
    """Also where its rest is put back; a part that is no rest names its pools, in as many messages as that takes."""
    keys = tuple(f"pool-{number:04}" for number in range(1000))
    named = [pool(key, "fabrikam-prime") for key in keys]
    (batch,) = batches(named)
    text = batch.work("sweep", TRACE).text()
    assert len(text) < 200
    asked = read(text)
    assert asked is not None
    whole = spread_out(asked, [*named, pool("pool-other", "fabrikam-tailspin")])
    assert whole.keys == keys

    rest = read(whole.back(START, keys[700:]).text())
    assert rest is not None
    assert spread_out(rest, named).keys == keys[700:]
    assert rest.since == START
    assert whole.back(START, keys[3:9]).organization is None
    assert read(whole.back(START, keys[3:9]).text()) == WorkMessage(keys[3:9], "sweep", TRACE, since=START)


def test_pools_without_an_organization_share_a_message_too() -> None:
    named = [pool("b"), pool("a")]
    (batch,) = batches(named)
    asked = read(batch.work("sweep").text())
    assert asked is not None
    assert (asked.organization, spread_out(asked, named).keys) == ("", ("a", "b"))


@pytest.mark.parametrize("organization", [7, "a/b", "x" * 65, None, ["a"]])
def test_an_organization_that_is_none_leaves_the_keys(organization: object) -> None:
    assert read(json.dumps({"keys": ["a"], "organization": organization})) == WorkMessage(("a",))


def test_a_person_may_drop_a_bare_name_into_the_queue() -> None:
    assert read(" Fabrikam-Pool\n") == WorkMessage(("fabrikam-pool",))


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "7e5x!", "{}", '{"keys": []}', '{"keys": "a"}', '{"keys": ["../x"]}', '{"keys": [1]}',
        json.dumps({"keys": ["a"] * (MAX_KEYS + 1)}), "[" * 100_000,
    ],
)  # fmt: skip
def test_what_asks_for_nothing_is_nothing(text: str) -> None:
    assert read(text) is None


def test_labels_that_are_none_are_left_out() -> None:
    assert read('{"keys": ["a"], "trigger": 7, "trace": "x"}') == WorkMessage(("a",))


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    work = read(text)

    assert work is None or work.keys


PLACE = scopes.project("fabrikam-prime", "Web").text()


@pytest.mark.parametrize(
    "given",
    ["arm", 7, {"a": 1}, [7], [None], [""], [PLACE, []], ["x" * (MAX_SCOPE + 1)], ["\u202e" * 100], ["a"] * (MAX_SCOPES + 1)],
)  # fmt: skip
def test_places_that_are_none_mean_the_whole_pool(given: object) -> None:
    """As in a message of an earlier release, which has none."""
    assert read(json.dumps({"keys": ["a"], "scopes": given})) == read('{"keys": ["a"]}')


def test_a_message_fits_a_storage_queue_whatever_it_holds() -> None:
    """48 KiB before it is encoded (Microsoft Learn, Azure Queue Storage)."""
    keys = tuple(f"{number:03d}".ljust(64, "x") for number in range(MAX_KEYS))
    places = tuple(str(number).ljust(MAX_SCOPE - 2, "x") for number in range(MAX_SCOPES))
    text = WorkMessage(keys, "follow-up", TRACE, START, places, START, START).text()

    assert len(text.encode()) < 48 * 1024
    assert read(text) is not None
    beyond = WorkMessage(keys, "audit", scopes=(*places, "one more"))
    assert read(beyond.text()) == WorkMessage(keys, "audit")


@pytest.mark.parametrize(
    ("since", "put"),
    [
        (None, START),
        (START - timedelta(hours=1), START - timedelta(hours=1)),
        (START + timedelta(seconds=1), START),
        (START - 3 * LATEST, START),
        (datetime.min.replace(tzinfo=UTC), START),
        (datetime.max.replace(tzinfo=UTC), START),
    ],
)
def test_what_is_put_back_is_as_old_as_its_first_message(since: datetime | None, put: datetime) -> None:
    work = WorkMessage(("a", "b"), "event", since=since)

    assert work.put(START) == put
    again = read(work.back(START, ("b",)).text())
    assert again is not None
    assert (again.keys, again.put(START + timedelta(minutes=5))) == (("b",), put)


def specs_of(*organizations: str) -> list[Concern]:
    return [Concern(f"pool-{number}", name) for number, name in enumerate(organizations)]


def test_one_cause_is_one_message_for_all_pools_of_an_organization() -> None:
    found = works(specs_of("a", "b", "a", "b", "a"), "git", TRACE)

    assert found == [
        WorkMessage(("pool-0", "pool-2", "pool-4"), "git", TRACE),
        WorkMessage(("pool-1", "pool-3"), "git", TRACE),
    ]
    many = works(specs_of(*["a"] * (2 * MAX_KEYS + 1)), "git")
    assert [len(work.keys) for work in many] == [MAX_KEYS, MAX_KEYS, 1]


def test_a_message_is_about_all_places_of_its_pools_and_a_whole_pool_needs_no_place() -> None:
    early, late = START, START + timedelta(minutes=1)
    concerns = [
        Concern("p", "a", frozenset({"x"}), late),
        Concern("q", "a", frozenset({"y"}), early),
        Concern("r", "a"),
        Concern("r", "a", frozenset({"x"}), early),
        Concern("p", "a", frozenset({"z"})),
    ]

    assert works(concerns, "audit") == [
        WorkMessage(("r",), "audit"),
        WorkMessage(("p", "q"), "audit", scopes=("x", "y", "z"), at=early),
    ]


def test_more_places_than_a_message_holds_are_several_messages() -> None:
    places = [f"p{number:03d}" for number in range(2 * MAX_SCOPES + 1)]
    found = works([Concern("a", "o", frozenset({place})) for place in places], "audit")

    assert [place for work in found for place in work.scopes] == places
    assert [len(work.scopes) for work in found] == [MAX_SCOPES, MAX_SCOPES, 1]


def test_a_cause_with_a_place_for_each_pool_requests_each_pool_once() -> None:
    """As when the resources of a group are moved: each part of the places went to all pools, so runs were squares."""
    names = [f"pool-{number:03d}" for number in range(3 * MAX_SCOPES + 1)]
    found = works([Concern(name, "o", frozenset({scopes.arm(name).text()})) for name in names], "event")

    assert [key for work in found for key in work.keys] == names
    assert [len(work.keys) for work in found] == [MAX_SCOPES] * 3 + [1]
    assert all(set(work.scopes) == {scopes.arm(key).text() for key in work.keys} for work in found)


def test_pools_that_share_more_places_than_a_message_holds_stay_together() -> None:
    places = frozenset(scopes.project("o", f"{number:03d}").text() for number in range(MAX_SCOPES + 1))
    alike = [Concern(f"pool-{number}", "o", places) for number in range(5)]
    found = works([*alike, Concern("alone", "o", frozenset({scopes.arm("alone").text()}))], "audit")

    assert [(len(work.keys), len(work.scopes)) for work in found] == [(5, MAX_SCOPES), (5, 1), (1, 1)]
    assert {scope for work in found[:2] for scope in work.scopes} == places
