"""A plan of a converged organization: how many calls it takes, and how near to the limit of round trips it comes."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks import estates
from benchmarks.measure import LATENCY, PARALLEL, Emulated, Row, Table, apart, at_most, emulated, shown, timed, worked
from reconciler import bootstrap
from reconciler.engine.memory import load_evidence, save_evidence
from reconciler.spec.loader import load

TITLE = "Plan of a converged organization"


CONNECTIONS = 17
"""As many as there may be reads side by side, and one to ARM."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One plan of all pools."""

    reads: int
    writes: int
    changes: int
    connections: int
    seconds: float
    cpu: float
    peak: float = 0.0


def run(*, quick: bool = False) -> Table:
    """All figures."""
    size = estates.Size(3, 12) if quick else estates.Size(20, 500)
    latency = 0.0 if quick else LATENCY
    with tempfile.TemporaryDirectory() as folder:
        state = str(Path(folder) / "state.db")
        with emulated(estates.estate(size), latency) as cloud:
            not_shown = plan_of(cloud, state, size)
            found = plan_of(cloud, state, size)
        double = estates.Size(size.pools * 2, size.projects)
        with emulated(estates.estate(double)) as cloud:
            plan_of(cloud, f"{state}.2", double)
            doubled = plan_of(cloud, f"{state}.2", double)
        few = estates.Size(size.pools, 12 if quick else 25)
        with emulated(estates.estate(few), latency) as cloud:
            pairs, _ = apart(_pair_by_pair, cloud)
            shared = plan_of(cloud, f"{state}.3", few)
        many = estates.Size(1, 30 if quick else 1500)
        with emulated(estates.estate(many)) as cloud:
            hidden = shown(f"reads that look for hidden projects, {many.projects:,} projects", _hidden(cloud))
    rows = (*_calls(size, found, not_shown, doubled), hidden, *_walls(found, latency), *_naive(few, pairs, shared))
    how = (
        f"{size.pools} pools × {size.projects} projects, every answer {latency * 1000:.0f} ms, emulator in a process "
        "of its own; calls by its counters, wall without imports. Limit of round trips: calls × latency / "
        f"{PARALLEL}. *Shown*: the organization's list of authorized resources was shown to be complete before."
    )
    return Table(TITLE, how, rows)


def _calls(size: estates.Size, found: Measured, not_shown: Measured, doubled: Measured) -> tuple[Row, ...]:
    goal = 2 * size.projects + 2 * size.pools + 20
    more = (doubled.reads - found.reads) / size.pools
    return (
        at_most("reads, list shown", found.reads, goal, count=True),
        shown("reads, list not shown yet", not_shown.reads),
        at_most("writes", found.writes + not_shown.writes, 0, count=True),
        at_most("changes planned", found.changes + not_shown.changes, 0, count=True),
        at_most(f"more reads for each pool with {2 * size.pools} pools", more, 2, count=True),
        at_most("connections opened", found.connections, CONNECTIONS, count=True),
        at_most("peak memory", found.peak, 200.0, "MiB"),
    )


def _walls(found: Measured, latency: float) -> tuple[Row, ...]:
    if not latency:
        return ()
    limit = found.reads * latency / PARALLEL
    return (
        shown("wall", found.seconds, "s"),
        at_most("wall against the limit of round trips", found.seconds / limit, 1.3, "×"),
        at_most("CPU for each call", found.cpu / found.reads * 1000, 1.6, "ms"),
    )


def _naive(size: estates.Size, pairs: Measured, shared: Measured) -> tuple[Row, ...]:
    return (
        shown(f"pair by pair, {size.pools} × {size.projects}: reads", pairs.reads),
        shown("pair by pair: wall", pairs.seconds, "s"),
        shown(f"shared reads, {size.pools} × {size.projects}: reads", shared.reads),
        shown("shared reads: wall", shared.seconds, "s"),
    )


def plan_of(cloud: Emulated, state: str, size: estates.Size) -> Measured:
    """A plan of all pools by a fresh process."""
    cloud.do.reset_log()
    (changes, seconds, cpu), peak = apart(_plan, cloud, state, size)
    total = cloud.do.counters()["total"]
    return Measured(total["reads"], total["writes"], changes, total["connections"], seconds, cpu, peak)


def _plan(cloud: Emulated, state: str, size: estates.Size) -> tuple[int, float, float]:
    """What a sweep does, without its writes: shared reads, evidence of earlier sweeps."""
    app = bootstrap.build(cloud.settings(state))
    specs = load(estates.specs(size)).specs
    with timed() as wall, worked() as cpu:
        survey = app.planner.survey(specs, load_evidence(app.state, specs))
        plans = [app.planner.plan(spec, survey, "r") for spec in specs]
    save_evidence(app.state, survey.learned())
    return sum(len(plan.changes) + len(plan.gaps) for plan in plans), wall(), cpu()


def _hidden(cloud: Emulated) -> int:
    """Pages of the organization's groups, in which projects are found that the identity cannot see."""
    organization = estates.organization_name(0)
    survey = bootstrap.look(cloud.settings("")).planner.survey([])
    survey.projects(organization)
    cloud.do.reset_log()
    survey.hidden_projects(organization)
    return int(cloud.do.counters()["total"]["reads"])


def _pair_by_pair(cloud: Emulated) -> Measured:
    """The obvious way: for each pool and project its queue, then its permissions; four at a time."""
    devops = bootstrap.look(cloud.settings("")).planner.readers.devops
    organization = estates.organization_name(0)
    cloud.do.reset_log()
    with timed() as wall, worked() as cpu, ThreadPoolExecutor(PARALLEL) as threads:
        pools, projects = devops.agent_pools(organization), devops.projects(organization)

        def look(pair: tuple[int, str]) -> None:
            for queue in devops.queues(organization, pair[1], (pair[0],)):
                devops.pipeline_permissions(organization, pair[1], queue.id)

        list(threads.map(look, [(pool.id, project.id) for pool in pools for project in projects]))
        for pool in pools:
            devops.role_assignments(organization, "distributedtask.agentpoolrole", str(pool.id))
    total = cloud.do.counters()["total"]
    return Measured(total["reads"], total["writes"], 0, total["connections"], wall(), cpu())
