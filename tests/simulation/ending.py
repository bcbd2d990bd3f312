"""The end of a history: nothing goes wrong any more, and everything converges or says why not."""

from __future__ import annotations

from reconciler.engine import unnamed
from reconciler.engine.status import REASONS
from tests.simulation import intended, people
from tests.simulation.oracles import MARGIN, Violation
from tests.simulation.play import MAX_AGE, Play
from tests.simulation.virtual import TIME

QUIET = 2
"""Full resyncs at the end, one after the other, that must write nothing."""
LAST = 14
"""Full resyncs within which everything must have converged."""
RESTED = 8
"""Of the last full resyncs, in which no more writes may be sent than this, where one is rejected again and again."""
PATIENCE = 8
"""Times five minutes that a pool gets, where its last run ended in an error that passes."""


class Ending:
    """The end of one history."""

    def __init__(self, play: Play) -> None:
        self._play, self._oracles = play, play.oracles

    def play(self) -> None:
        """Nothing goes wrong any more; time goes on. Everything converges, or says why not."""
        self._play.say("the end begins")
        self._play.world.faults.clear()
        self._play.world.spent.clear()
        self._play.fate, self._play.feed, self._play.paused = {"fate": "prompt"}, {"feed": "honest"}, False
        self._play.stopped.clear()
        self._play.repository.trouble, self._play.repository.behind = "", 0
        self._oracles.heads.add(len(self._play.repository.commits) - 1)
        self._play.store.skew = 0.0
        for process in self._play.processes:
            process.clock.skew, process.kill_at_statement = 0.0, 0
            process.release = ""
            process.plans.clear()
        self._play.world.switches.set("devops.write-lag", 0.0)
        self._play.processes = [one if not one.dead else self._play.process() for one in self._play.processes]
        if self._play.cut_off:
            self._play.processes[0].run(self._repair)
        people.lifted(self._play)
        begun, quiet = TIME.now, 0
        wrote: list[int] = []
        while len(wrote) < LAST:
            before = self._play.outcome.counts["writes"]
            self._play.advance(900.0)
            wrote.append(self._play.outcome.counts["writes"] - before)
            quiet = 0 if wrote[-1] else quiet + 1
            # By then every fact was read since the end began, so a drift that was not seen before is seen.
            aged = TIME.now - begun > MAX_AGE + self._oracles.error_of_clocks
            if quiet >= QUIET and aged:
                break
        settled = [self._settled(name, begun) for name in sorted(self._oracles.commits[-1])]
        converged = all(settled)
        if quiet < QUIET and (converged or sum(wrote[-RESTED:]) > RESTED):
            raise Violation(f"restless: {wrote} writes in full resyncs, although nothing changes")
        self._play.outcome.counts["converged" if converged else "not converged"] += 1
        self._nothing_left()

    def _repair(self) -> None:
        """A person ends the one thing that a cut-off run may leave for a person (`tests.crashes` says more)."""
        self._play.processes[0].context.safety.documents.repair()

    def _settled(self, name: str, begun: float) -> bool:
        """Whether a pool is as its spec says; where it is not, or the spec cannot be met, its condition says why."""
        spec, waits = self._oracles.commits[-1][name], PATIENCE
        while True:
            ready, reason, covered = self._condition(name)
            there = self._oracles.look()
            missing = [] if spec.get("broken") else self._oracles.missing(name, spec, [there])
            valid, met = self._valid(name), intended.can_be_met(spec, there)
            wrong = ""
            if not valid:
                wrong = "" if reason in ("", "SpecInvalid", "NotInSpecs") else "its spec is invalid"
            elif reason in ("", "Progressing", "Interrupted") or reason not in REASONS:
                wrong = "that is no end"
            elif missing and reason == "InSync":
                wrong = f"{missing[:3]} differ"
            elif met and not missing and reason != "InSync" and intended.writes(spec):
                wrong = "it is as its spec says"
            elif met and missing and intended.writes(spec):
                wrong = f"nothing is in its way, and {missing[:3]} differ"
            elif reason == "InSync" and (covered is None or covered < begun - MARGIN):
                wrong = "requests since the end began are not covered"
            if not wrong or not waits:
                break
            waits -= 1
            self._play.advance(300.0)
        self._play.say(f"end {name} {reason} {len(missing)}")
        self._play.outcome.counts[f"end {reason}"] += 1
        if wrong:
            raise Violation(f"end: {name} is {reason or 'without a condition'}, but {wrong}: {ready}")
        return valid and not missing

    def _valid(self, name: str) -> bool:
        context = self._play.processes[0].context
        return name in self._play.processes[0].run(lambda: context.catalogue.specs().by_key)

    def _condition(self, name: str) -> tuple[str, str, float | None]:
        """Message and reason of `Ready`, and up to when requests are covered."""
        context = self._play.processes[0].context
        found = self._play.processes[0].run(lambda: unnamed.statuses(context.state, [name]))
        ready = [one for status in found for one in status.conditions if one.kind.value == "Ready"]
        covered = found[0].covered if found else None
        return (
            ready[0].message if ready else "",
            ready[0].reason if ready else "",
            None if covered is None else covered.timestamp(),
        )

    def _nothing_left(self) -> None:
        """No dead letter, and a whole record."""
        dead = self._play.file.execute("SELECT queue, text FROM messages WHERE queue LIKE '%-poison'").fetchall()
        if dead:
            raise Violation(f"dead letter: {dead[0]}")
        context = self._play.processes[0].context
        self._play.processes[0].run(lambda: self._oracles.record(context.record, open_intents=4 * self._play.cut_off))
