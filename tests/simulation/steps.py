"""What can happen in a history: one function for each kind of step. A step that does not apply any more does nothing.

A step is plain JSON, so that a history can be stored, and shortened by leaving steps out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.simulation import intended, observed, people, releases
from tests.simulation.intended import NEW, Json
from tests.simulation.play import Play
from tests.simulation.processes import HIDE, Plans


def commit(play: Play, step: Json) -> None:
    """A person pushes: fields of one spec change, its file goes, comes, or breaks."""
    before = play.oracles.commits[-1]
    after = dict(before)
    name = step["pool"]
    if step.get("gone"):
        after.pop(name, None)
    else:
        after[name] = {**before.get(name, NEW if name == "new-pool" else intended.FIRST.get(name, NEW)), **step["set"]}
    _push(play, after)


def _push(play: Play, after: intended.Commit) -> None:
    play.oracles.commits.append(after)
    play.repository.commits.append(intended.files(after))
    play.oracles.heads.add(max(0, len(play.repository.commits) - 1 - play.repository.behind))


def correct(play: Play, step: Json) -> None:
    """People put right what stands in the way: specs are valid and applied, and their projects exist again."""
    del step
    for organization in intended.ORGANIZATIONS.values():
        for project in intended.PROJECTS:
            observed.edit(play.world, "restore-project", {"organization": organization, "project": project})
    after = {}
    for name, spec in play.oracles.commits[-1].items():
        after[name] = {**spec, "broken": False, "mode": "enforce"}
        if not intended.is_valid(after[name]):
            after[name] |= {"except": [], "exclusive": False}
    _push(play, after)


def edit(play: Play, step: Json) -> None:
    """A person clicks in Azure DevOps."""
    if observed.edit(play.world, step["what"], dict(step["with"])):
        play.outcome.counts["edits"] += 1


def portal(play: Play, step: Json) -> None:
    """A person changes a pool in the Azure portal."""
    if observed.edit_arm(play.world, step["pool"], step["change"]):
        play.outcome.counts["edits"] += 1


def events(play: Play, step: Json) -> None:
    """From now on events are delivered like this."""
    play.fate = step


def feed(play: Play, step: Json) -> None:
    """From now on the audit log answers like this."""
    play.feed = step


def fault(play: Play, step: Json) -> None:
    """Requests go wrong."""
    play.world.faults.add(step["fault"])


def calm(play: Play, step: Json) -> None:
    """No more faults."""
    del step
    play.world.faults.clear()


def git(play: Play, step: Json) -> None:
    """Git cannot be read, is behind, or is there again."""
    play.repository.trouble = "git: no response in time" if step["state"] == "away" else ""
    play.repository.behind = step.get("commits", 1) if step["state"] == "behind" else 0
    play.oracles.heads.add(max(0, len(play.repository.commits) - 1 - play.repository.behind))


def timer(play: Play, step: Json) -> None:
    """Timers of the platform stop, or go on."""
    play.stopped = set(step["stopped"])


def pause(play: Play, step: Json) -> None:
    """No queue gives messages out, or they do again."""
    play.paused = step["on"]


def time(play: Play, step: Json) -> None:
    """Time passes."""
    play.advance(step["seconds"])


def idle(play: Play, step: Json) -> None:
    """Time passes while no worker takes anything."""
    play.advance(step["seconds"], working=False)


def clock(play: Play, step: Json) -> None:
    """The clock of a machine jumps: of one worker's, or of the one on which all of them and the store are."""
    chosen = play.processes if step["worker"] is None else [play.processes[step["worker"] % len(play.processes)]]
    for process in chosen:
        process.clock.skew = step["skew"]
    if step["worker"] is None:
        play.store.skew = step["skew"]
    skews = [0.0, play.store.skew, *(one.clock.skew for one in play.processes)]
    play.oracles.error_of_clocks = max(play.oracles.error_of_clocks, max(skews) - min(skews))


def scale(play: Play, step: Json) -> None:
    """The platform runs so many workers: others are stopped where they stand, or start."""
    while len(play.processes) < step["workers"]:
        play.processes.append(play.process())
    for process in play.processes[step["workers"] :]:
        if process.busy:
            play.cut_off += 1
        process.close()
    del play.processes[step["workers"] :]


def restart(play: Play, step: Json) -> None:
    """A worker stops, and a new one starts: it knows what is stored. `documents`: another release wrote meanwhile."""
    number = step["worker"] % len(play.processes)
    if play.processes[number].busy:
        return
    play.processes[number].close()
    if step.get("documents"):
        releases.as_another(play.folder / "state.db", step["documents"], {})
    play.processes[number] = play.process()


def amid(play: Play, step: Json) -> None:
    """In the middle of the next message of a worker, before its exchange of that number, other things happen."""
    number = step["worker"] % len(play.processes)
    process = play.processes[number]
    if process.busy or process.dead:
        return

    def others() -> None:
        play.say(f"{process.name} is held up")
        play.held_up += sum(one.get("seconds", 0) for one in step["steps"]) >= HIDE / 2
        for one in step["steps"]:
            STEPS[one["do"]](play, one)
        play.oracles.look()

    process.plans.append(Plans(step["at"], others))


def kill(play: Play, step: Json) -> None:
    """A worker ends in the middle of its next message: at an exchange, or at a transaction of the state file."""
    number = step["worker"] % len(play.processes)
    process = play.processes[number]
    if process.busy or process.dead:
        return
    if "statement" in step:
        process.kill_at_statement = step["statement"]
        return

    def end() -> None:
        process.dead = True

    process.plans.append(Plans(step["at"], end))


def start(play: Play, step: Json) -> None:
    """The platform starts workers in place of those that ended."""
    del step
    play.processes = [play.process() if one.dead else one for one in play.processes]


def release(play: Play, step: Json) -> None:
    """A worker is one of another release from now on, or of this one again: its documents are as that one writes them."""
    play.processes[step["worker"] % len(play.processes)].release = step["documents"]


def plane(play: Play, step: Json) -> None:
    """From now on, the services behave in another way that they are known or suspected to have."""
    for name, value in step["switches"].items():
        play.world.switches.set(name, value)
    play.oracles.lag = max(play.oracles.lag, play.world.switches.number("devops.write-lag"))


STEPS: Mapping[str, Callable[[Play, Json], None]] = {
    one.__name__: one
    for one in (
        commit, correct, edit, portal, events, feed, fault, calm, git, timer, pause, time, idle, clock, scale, restart, amid, kill,
        start, release, plane, people.mode, people.hold, people.approve, people.request, people.windows,
    )
}  # fmt: skip
