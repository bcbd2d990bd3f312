"""What each situation costs in calls, counted at both planes through queues, leases, state and the worker.

The sizes are small; the law is the same, and benchmarks measure the large ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import estates
from reconciler.service.triggers import timers
from tests.examples import whole
from tests.scenarios.counted import ORG, SWEEP, Counted, MovedClock, counted, law

SIZE = estates.Size(4, 24)
FIXED = 3
"""Reads that no two messages share."""


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Counted]:
    with counted(tmp_path, SIZE) as made:
        yield made


def converged(place: Counted) -> Counted:
    """Seen once, and nothing left to do."""
    place.sweep()
    place.count_from_here()
    return place


def test_a_full_look_costs_two_lists_a_project_and_two_reads_a_pool(small: Counted) -> None:
    small.sweep()
    assert small.reads <= law(SIZE)
    assert (small.runs("in-sync"), small.writes) == (SIZE.pools, 0)

    small.count_from_here()
    small.sweep()
    assert small.reads <= law(SIZE)
    assert small.runs("in-sync") == SIZE.pools


def test_a_message_whose_time_runs_out_reads_nothing_twice(small: Counted) -> None:
    """Each pool's rest is put back, and what was read since the first message was put counts."""
    worker = replace(small.context.worker, begin=0.0)
    small.context = replace(small.context, worker=worker)

    small.sweep()

    assert small.runs("later") == SIZE.pools - 1
    assert small.runs("in-sync") == SIZE.pools
    assert small.reads <= law(SIZE)


class Ticking(MovedClock):
    """Time that passes by being looked at, and in no other way."""

    def monotonic(self) -> float:
        self.ahead += 0.01
        return self.ahead


def test_a_look_that_is_longer_than_a_message_goes_on_in_the_next_one(tmp_path: Path) -> None:
    """However slow the answers: no message is ended by the platform, no pool is unready for it, nothing is read twice."""
    with counted(tmp_path, SIZE) as place:
        place.clock = Ticking()
        place.restart()
        place.context = replace(place.context, worker=replace(place.context.worker, reading=0.3))

        place.sweep()

        assert place.runs("later") > SIZE.pools
        assert place.runs("in-sync") == SIZE.pools
        assert place.runs("failed", "busy", "apart") == 0
        assert place.reads <= law(SIZE) + FIXED * place.runs("later")
        assert place.writes == 0


def test_one_throttled_response_costs_the_rest_of_the_look_and_not_a_look_for_each_pool(small: Counted) -> None:
    small.cloud.do.fault("429", organization=ORG, route="queues.list", count=1, seconds=30)

    small.sweep()

    assert small.reads <= law(SIZE) + 4
    assert small.runs("in-sync") == SIZE.pools
    assert small.runs("failed") == 1, "one pool tells of it, the others wait"


@pytest.mark.parametrize("pools", [SIZE.pools, SIZE.pools - 1])
def test_a_commit_to_many_files_is_one_look(small: Counted, pools: int) -> None:
    timers.watch_git(small.context)
    converged(small)
    for number in range(pools):
        path = small.folder / "specs" / f"{small.pool(number)}.json"
        path.write_bytes(path.read_bytes() + b"\n")

    timers.watch_git(small.context)
    (message,) = small.waiting()
    small.drain()

    assert len(message.keys) == pools
    assert small.reads <= law(SIZE) + 3
    assert small.runs("in-sync") == pools


def test_a_new_project_is_read_and_no_other(small: Counted) -> None:
    """Reads of what is written, and to verify it, count apart: six for each write at most."""
    small.audit()
    converged(small)
    small.by_hand("create-project", name="new")

    small.audit()
    small.drain()

    assert small.writes
    assert small.reads <= 30 + 6 * small.writes
    again = small.writes
    small.count_from_here()
    small.sweep()
    assert (small.writes, bool(again)) == (0, True)


def test_a_queue_that_is_closed_by_hand_costs_what_its_project_costs(small: Counted) -> None:
    small.audit()
    converged(small)
    small.close(1, 7)

    small.audit()
    (message,) = small.waiting()
    small.drain()

    assert len(message.keys) == SIZE.pools
    assert small.is_open(1, 7)
    assert small.writes == 1
    assert small.reads + small.writes <= 8
    assert (small.runs("applied"), small.runs("superseded")) == (1, SIZE.pools - 1)


@pytest.mark.parametrize("projects", [1, 12])
def test_the_echo_of_the_operators_own_writes_costs_nothing(small: Counted, projects: int) -> None:
    small.audit()
    converged(small)
    for number in range(projects):
        small.cloud.do.edit("close-access", organization=ORG, pool=small.pool(2), project=small.project(number))
    small.later(10)
    small.audit()
    small.drain()
    assert small.writes == projects
    small.count_from_here()

    small.audit()
    assert small.waiting() == []
    small.drain()

    assert small.reads == 0
    assert small.metrics.total("reconciler.events.dropped", trigger="audit") >= 0


def test_an_entry_of_the_operator_that_nothing_shows_to_be_verified_is_read(small: Counted) -> None:
    """Another program used its identity: the record of writes knows of no such write."""
    small.audit()
    converged(small)
    path = small.cloud.do.state()
    assert path
    small.by_hand("close-access", pool=small.pool(0), project=small.project(3), by="operator")
    small.audit()
    small.drain()

    assert small.is_open(0, 3)


@pytest.mark.soaked
def test_sweeps_of_a_quiet_organization_read_each_project_in_its_turn(tmp_path: Path) -> None:
    """And what is fixed: lists of the organization, and roles of each pool."""
    size = estates.Size(3, 48)
    with counted(tmp_path, size) as place:
        found: list[int] = []
        for number in range(whole(40, usual=22)):
            for _ in range(3):
                place.later(SWEEP / 3)
                place.audit()
            place.count_from_here()
            place.sweep()
            if number >= 4:
                found.append(place.reads)
        fixed = size.pools + 12
        assert place.writes == 0
        assert sum(found[-16:]) / 16 <= 2 * size.projects / 16 + fixed
        assert max(found) < law(size) / 2


def test_without_a_feed_every_sweep_is_a_full_look(small: Counted) -> None:
    """Nothing postpones a read, also where the log was read to its end long ago."""
    small.audit()
    small.later(60)
    small.audit()
    converged(small)
    small.later(SWEEP)

    small.sweep()

    assert 2 * SIZE.projects <= small.reads <= law(SIZE)


def test_a_change_that_the_feed_told_is_read_by_a_sweep_of_another_process(small: Counted) -> None:
    """The entry's own message is lost; the document of the feed is not."""
    small.audit()
    small.later(60)
    small.audit()
    small.sweep()
    small.later(SWEEP)
    small.audit()
    small.sweep()
    small.close(1, 7)
    small.audit()
    for queue in small.queues:
        for message in queue.take(32, 30):
            queue.ack(message)
    small.later(120)
    small.audit()
    small.restart()

    small.sweep()

    assert small.is_open(1, 7)


def test_a_run_for_one_project_ends_no_request_for_another(small: Counted) -> None:
    small.audit()
    converged(small)
    small.close(1, 7)
    small.audit()
    (first,) = small.waiting()
    small.close(1, 8)
    small.audit()
    second = [one for one in small.waiting() if one.scopes != first.scopes]
    assert len(second) == 1

    assert small.turn()
    small.drain()

    assert small.is_open(1, 7)
    assert small.is_open(1, 8)


def test_a_run_that_was_about_one_project_ends_no_request_of_a_person(small: Counted) -> None:
    """What it knows of the rest of the pool is older than the request."""
    small.audit()
    converged(small)
    small.close(1, 7)
    small.audit()
    small.cloud.do.edit("close-access", organization=ORG, pool=small.pool(1), project=small.project(9))
    small.later(30)
    assert small.turn()
    assert not small.is_open(1, 9)
    small.context.outbox.request([small.context.catalogue.specs().by_key[small.pool(1)]], "http")
    small.drain()

    assert small.is_open(1, 9)
