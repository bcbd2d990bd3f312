"""A change feed may postpone reads, and nothing it says or leaves out keeps a change unseen beyond the maximum age."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reconciler.survey import scopes
from reconciler.survey.demand import Demand
from reconciler.survey.memo import Key
from reconciler.survey.rotation import Feed, Rotation
from tests.survey.test_shared import ORG

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
QUARTER, MAX_AGE = timedelta(minutes=15), timedelta(hours=4)
PROJECTS = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(500)]
KEYS = [
    Key(kind, ORG, project, detail)
    for project in PROJECTS
    for kind, detail in (("queues", "7,8"), ("authorized", None))
]


def quiet(interval: timedelta = QUARTER, max_age: timedelta = MAX_AGE) -> Rotation:
    return Rotation(interval, max_age, frozenset({ORG}))


def looks(times: list[datetime], keys: list[Key], rotation: Rotation) -> tuple[dict[Key, list[datetime]], list[int]]:
    """When each fact was read, by sweeps at these times after a full look; and how many reads each sweep made."""
    read = {key: [START] for key in keys}
    counts = []
    for at in times:
        demand = Demand.of_sweep(at, at, rotation)
        due = [key for key in keys if read[key][-1] < demand.needed(key)]
        counts.append(len(due))
        for key in due:
            read[key].append(at)
    return read, counts


def test_in_a_steady_state_a_sweep_reads_a_sixteenth_of_the_project_facts() -> None:
    times = [START + QUARTER * number for number in range(1, 81)]

    read, counts = looks(times, KEYS, quiet())

    for first in range(len(counts) - 16):
        assert sum(counts[first : first + 16]) / 16 <= 64
    for moments in read.values():
        assert all(later - earlier <= MAX_AGE for earlier, later in itertools.pairwise(moments))


@given(
    interval=st.integers(60, 4 * 3600),
    age=st.integers(60, 12 * 3600),
    late=st.lists(st.integers(0, 55), min_size=40, max_size=40),
    projects=st.lists(st.sampled_from(PROJECTS), min_size=1, max_size=6, unique=True),
)
def test_no_fact_becomes_older_than_the_maximum_age_whatever_the_timers(
    interval: int, age: int, late: list[int], projects: list[str]
) -> None:
    """By the look that finds it older: one that is late finds it as much too old as it is late."""
    between, most = timedelta(seconds=interval), timedelta(seconds=age)
    times = [START + between * (at + 1) + timedelta(seconds=seconds) for at, seconds in enumerate(late)]
    keys = [Key("queues", ORG, project, "7") for project in projects]

    read, _ = looks(times, keys, quiet(between, most))

    bound = max(most, between) + timedelta(seconds=55)
    for moments in read.values():
        last = [*moments, times[-1]]
        assert all(later - earlier <= bound for earlier, later in itertools.pairwise(last))


def test_without_a_feed_that_counts_for_hot_pools_and_for_lists_everything_is_read() -> None:
    project, of_organization = KEYS[0], Key("agent pools", ORG)
    silent = Rotation(QUARTER, MAX_AGE)
    hot = Demand.of_sweep(START, START, quiet(), [scopes.pool("pool-1")])

    assert Demand.of_sweep(START, START, silent).needed(project) == START
    assert hot.needed(project) == START
    assert Demand.of_sweep(START, START, quiet()).needed(of_organization) == START
    assert Demand.of_sweep(START, START, quiet()).needed(project) < START


def test_a_feed_counts_while_it_is_read_in_time_and_whole() -> None:
    five = timedelta(minutes=5)
    good = Feed(START, five, whole=True)

    assert good.counts(START + 2 * five)
    assert not good.counts(START + 2 * five + timedelta(seconds=1))
    assert not good.counts(START - timedelta(seconds=1))
    assert not Feed(START, five, whole=False).counts(START)
    assert not Feed(None, five, whole=True).counts(START)
    day = Feed(START, five, whole=True, distrusted_until=START + five)
    assert not day.counts(START)
    assert day.counts(START + five)


def test_a_scope_is_written_and_read_as_the_same_and_an_unknown_one_is_none() -> None:
    known = [
        scopes.pool("pool-1"),
        scopes.arm("pool-1"),
        scopes.organization(ORG),
        scopes.project(ORG, "Web Shop & Co / 50 %", queue=7),
        scopes.projects(ORG),
        scopes.agent_pools(ORG),
        scopes.roles(ORG, agent_pool=12),
        scopes.members(ORG),
    ]

    assert [scopes.Scope.read(one.text()) for one in known] == known
    for text in ("", "planet?organization=x", "roles?agentPool=x", "roles?colour=red", "roles?agentPool=-1"):
        assert scopes.Scope.read(text) is None
