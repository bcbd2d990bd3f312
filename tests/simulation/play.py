"""Plays a list of steps: a deployment, both planes, and what happens to them; writes the trace of all that."""

from __future__ import annotations

import heapq
import itertools
import json
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.estates import SUBSCRIPTION
from emulator.events import PublishedEvent
from emulator.frame import Response
from emulator.running import build
from reconciler.documents import moment
from reconciler.engine import unnamed
from reconciler.ports.stores import Message
from reconciler.safety import ModeScope, WriteMode
from reconciler.service.queue import coverage
from reconciler.service.queue import messages as work_messages
from reconciler.service.queue.messages import WorkMessage
from reconciler.service.queue.worker import Report
from reconciler.service.triggers import TriggerContext, messages, timers
from tests.fresh import forget_routes
from tests.simulation import intended, observed, releases, virtual
from tests.simulation.intended import FIRST, Json
from tests.simulation.oracles import MARGIN, Oracles, Violation
from tests.simulation.processes import HIDE, Killed, Process, Repository, WorkerClock, work
from tests.simulation.virtual import BEGIN, TIME
from tests.simulation.wire import ARM, AUDIT, DEVOPS, WIRE, Sent

TIMERS = {"git": 300.0, "audit": 600.0, "sweep": 900.0}
MAX_AGE = 1200.0
QUEUES = ("pool-events", "devops-events", "work", "sweep")
MOST = 400
"""Messages of one piece of work at most: more of them mean that they come from each other."""


@dataclass
class Outcome:
    """How a history went."""

    trace: list[str] = field(default_factory=list)
    violation: str = ""
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def text(self) -> bytes:
        """The trace, as bytes."""
        return "\n".join([*self.trace, self.violation, ""]).encode()


class Play:
    """One history."""

    def __init__(
        self, seed: int, folder: Path, mutant: Callable[[TriggerContext], TriggerContext] | None = None
    ) -> None:
        virtual.seed(seed)
        forget_routes()  # or the first history of a process has requests that later ones do not need
        self.folder, self.mutant = folder, mutant
        self.outcome = Outcome()
        self.world = build(observed.estate(), {"arm.update-seconds": 20.0, "arm.create-seconds": 60.0})
        self.world.events.hooks.append(self._published)
        self.repository = Repository([intended.files(FIRST)])
        self.oracles = Oracles(
            lambda: observed.cells(self.world),
            lambda name: observed.in_arm(self.world, name),
            commits=[dict(FIRST)],
            max_age=MAX_AGE,
        )
        self.oracles.heads.add(0)
        self.oracles.look()
        self.store = WorkerClock()
        self.fate: Json = {"fate": "prompt"}
        self.feed: Json = {"feed": "honest"}
        self.paused = False
        self.due = dict(TIMERS)
        self.stopped: set[str] = set()
        self.events: list[tuple[float, int, str, str]] = []
        self.numbers = itertools.count()
        self.cut_off = 0
        """Runs that ended in their middle."""
        self.held_up = 0
        """Messages that others may have taken meanwhile."""
        self.turn = 0
        self.spawned = 0
        WIRE.world, WIRE.before, WIRE.after, WIRE.audit = self.world, self._exchange, self._sent, self._heard
        WIRE.writing, WIRE.latency = self.oracles.writing, lambda: 0.05
        self.more_environment: dict[str, str] = {}
        self._person: Process | None = None
        self.processes = [self.process() for _ in range(2)]
        self.processes[0].run(self._go_live)
        self.file = sqlite3.connect(folder / "state.db", isolation_level=None)
        """The state file, as an onlooker reads it."""

    def process(self) -> Process:
        """A new process of the deployment."""
        self.spawned += 1
        environment = {
            "RECONCILER_SPECS": str(self.folder),
            "RECONCILER_STATE": str(self.folder / "state.db"),
            "RECONCILER_ALLOW_LOOPBACK": "1",
            "RECONCILER_CREDENTIAL": "static",
            "RECONCILER_ARM_ENDPOINT": ARM,
            "RECONCILER_DEVOPS_ENDPOINT": DEVOPS,
            "RECONCILER_AUDIT_ENDPOINT": AUDIT,
            "RECONCILER_ARM_TOKEN": self.world.principals.operator.arm_token,
            "RECONCILER_DEVOPS_TOKEN": self.world.principals.operator.devops_token,
            "RECONCILER_PARALLEL": "1",
            "RECONCILER_PREREQUISITES": "0",
            "RECONCILER_MAX_AGE": f"{MAX_AGE:g}",
            **self.more_environment,
        }
        made = Process(f"p{self.spawned}", environment, self.repository, self._reported, self.store)
        if self.mutant is not None:
            made.context = self.mutant(made.context)
        return made

    def person(self) -> Process:
        """The machine of the owner, on which no message is taken."""
        if self._person is None:
            self._person = self.process()
        return self._person

    def start_again(self, environment: dict[str, str]) -> None:
        """All processes end, and as many start, with these settings besides."""
        self.more_environment = environment
        for process in (*self.processes, *filter(None, [self._person])):
            process.close()
        self._person = None
        self.processes = [self.process() for _ in self.processes]

    def close(self) -> None:
        """All of it ends."""
        for process in (*self.processes, *filter(None, [self._person])):
            process.close()
        self.file.close()

    def _go_live(self) -> None:
        self.processes[0].context.safety.set_mode(ModeScope(), WriteMode.ENFORCE, reason="go live", by="ann")

    def say(self, text: str) -> None:
        """A line of the trace."""
        self.outcome.trace.append(f"{TIME.now - BEGIN:.3f} {text}")

    # --- what the planes say -----------------------------------------------------------------------------

    def _exchange(self, _writes: bool) -> None:
        if isinstance(TIME.owner, Process):
            process, held = TIME.owner, self.oracles.holds.now()
            process.exchange()
            process.decided = held

    def _sent(self, sent: Sent) -> None:
        self.outcome.counts["exchanges"] += 1
        who = TIME.owner.name if isinstance(TIME.owner, Process) else "?"
        self.say(f"{who} {sent.line}")
        if sent.writes:
            self.outcome.counts["writes"] += 1
            assert isinstance(TIME.owner, Process)
            held = TIME.owner.when_decided((sent.method, sent.path, json.dumps(sent.body)))
            self.oracles.written(sent, TIME.owner.put, held)
            self._on_record(sent)

    def _on_record(self, sent: Sent) -> None:
        """The intent of this write is in the record, and its result is not yet."""
        chain = f"arm/{SUBSCRIPTION}" if sent.plane == "arm" else f"devops/{sent.path.split('/')[1].lower()}"
        sql = "SELECT entry FROM record WHERE chain = ? ORDER BY number DESC LIMIT 12"
        entries = [json.loads(one) for (one,) in self.file.execute(sql, (chain,))]
        over = {one.get("of") for one in entries if one["kind"] == "result"}
        if not any(one["kind"] == "intent" and one["id"] not in over for one in entries):
            raise Violation(f"record: {sent.line} was sent without its intent on record")

    def _heard(self, response: Response) -> Response:
        """The audit log, as the feed has it now."""
        kind = self.feed["feed"]
        if kind == "honest" or response.status != 200 or not isinstance(response.body, dict):
            return response
        if kind == "silent":
            return Response(503, None)
        entries = response.body.get("decoratedAuditLogEntries", [])
        if kind == "lies":
            entries = []
        elif kind == "lags":
            until = moment(TIME.date(-self.feed["seconds"]))
            entries = [one for one in entries if one["timestamp"][:19] <= until[:19]]
        return replace(response, body={**response.body, "decoratedAuditLogEntries": entries})

    def _published(self, event: PublishedEvent) -> None:
        if event.source not in ("arm", "audit"):
            return
        queue = "pool-events" if event.source == "arm" else "devops-events"
        text, fate = json.dumps(event.event), self.fate["fate"]
        delays = {"lost": [], "double": [1.0, 40.0], "late": [self.fate.get("seconds", 600.0)]}.get(fate, [1.0])
        if fate == "reorder":
            delays = [5.0 * (7 - event.sequence % 8)]
        for delay in delays:
            heapq.heappush(self.events, (TIME.now + delay, next(self.numbers), queue, text))

    def _reported(self, process: Process, request: WorkMessage, report: Report) -> None:
        result = report.result
        self.outcome.counts[report.what] += 1
        self.say(f"{process.name} run {report.key.rsplit('/', 1)[-1]} {report.what} {request.trigger}")
        if result is not None and result.outcome.value in ("in-sync", "applied"):
            name = report.key
            self.oracles.reported(name, result.revision, result.status, process.clock.skew, process.taken)

    # --- time and work -----------------------------------------------------------------------------------

    def alive(self) -> list[Process]:
        """Processes that could take a message now."""
        return [one for one in self.processes if not one.dead and not one.busy]

    def advance(self, seconds: float, *, working: bool = True) -> None:
        """Time passes; timers and events fall due at their own moments, and idle workers work."""
        end = TIME.now + seconds
        while True:
            following = min([*(BEGIN + one for one in self.due.values()), *(one[0] for one in self.events[:1])])
            TIME.advance(max(0.0, min(end, following) - TIME.now))
            self.world.agenda.run_due()
            self.oracles.look()
            self._deliver()
            self._tick()
            if working:
                self.work()
            if following > end:
                return

    def _deliver(self) -> None:
        while self.events and self.events[0][0] <= TIME.now:
            _, _, queue, text = heapq.heappop(self.events)
            for process in self.alive()[:1]:
                process.run(lambda q=queue, t=text, p=process: p.context.queues.named(q).put(t))  # type: ignore[misc]

    def _tick(self) -> None:
        for name, interval in TIMERS.items():
            if BEGIN + self.due[name] > TIME.now:
                continue
            self.due[name] = TIME.now - BEGIN + interval
            if name in self.stopped:
                continue
            for process in self.alive()[-1:]:
                self.say(f"{process.name} timer {name}")
                function = {"git": timers.watch_git, "audit": timers.watch_audit, "sweep": timers.sweep}[name]
                self._guarded(process, lambda f=function, p=process: f(p.context))  # type: ignore[misc]

    def _guarded(self, process: Process, job: Callable[[], object]) -> None:
        """A timer's function: what it raises is logged by the host, and its next run is on schedule."""
        process.put, process.busy = TIME.now, True
        try:
            with self._release(process):
                process.run(job)
        except Killed:
            process.close()
            self.cut_off += 1
        except Violation:
            raise
        except Exception as error:  # noqa: BLE001 - as the host does
            self._escaped(error, "a timer")
        finally:
            process.busy = False

    def _escaped(self, error: Exception, where: str) -> None:
        if not self.repository.trouble:
            raise Violation(f"escaped: {type(error).__name__} from {where}: {error}") from error
        self.say(f"{where}: {type(error).__name__}")

    def work(self, most: int = MOST) -> None:
        """Idle workers take messages until none is visible."""
        if self.paused:
            return
        done = 0
        while done < most:
            if not self._visible():
                return
            processes = self.alive()
            if not any(self._one(one) for one in self._in_turn(processes)):
                return
            done += 1
        if most == MOST:
            raise Violation(f"endless: {MOST} messages in one piece of work")

    def _visible(self) -> bool:
        """Whether a message may be taken: most looks of idle workers find none, and need not be simulated."""
        sql = "SELECT 1 FROM messages WHERE queue NOT LIKE '%-poison' AND (visible <= ? OR inserted > ?) LIMIT 1"
        now = self.store.now().timestamp()
        return self.file.execute(sql, (now, now)).fetchone() is not None

    def _in_turn(self, processes: list[Process]) -> Iterator[Process]:
        self.turn += 1
        first = self.turn % max(1, len(processes))
        yield from (*processes[first:], *processes[:first])

    def _one(self, process: Process) -> bool:
        for name in QUEUES:
            queue = process.run(lambda n=name: process.context.queues.named(n))  # type: ignore[misc]
            with self._release(process):
                taken = process.take(queue, self._function(process, name))
            if taken:
                self.say(f"{process.name} {name} {taken}")
                self.outcome.counts["messages"] += 1
                if taken == "killed":
                    self.cut_off += 1
                return True
        return False

    @contextmanager
    def _release(self, process: Process) -> Iterator[None]:
        """What is written within is written as the release does as which the process runs."""
        file = self.folder / "state.db"
        before = releases.documents(file) if process.release else {}
        yield
        if process.release:
            releases.as_another(file, process.release, before)

    def _function(self, process: Process, name: str) -> Callable[[TriggerContext, Message], None]:
        def events(context: TriggerContext, message: Message) -> None:
            function = messages.pool_changed if name == "pool-events" else messages.devops_changed
            for text in function(context, message.text, "", message.inserted):
                context.outbox.events.put(text)

        def known(context: TriggerContext, message: Message) -> None:
            request = work_messages.read(message.text)
            put = message.inserted if request is None else request.put(message.inserted)
            process.put = min(put.timestamp() - self.store.skew, TIME.now)
            self.say(f"{process.name} {name} attempt {message.attempts}")
            if message.attempts > 1 + self.cut_off + self.held_up and self.oracles.error_of_clocks < HIDE / 2:
                raise Violation(f"attempts: {name}: attempt {message.attempts}, and {self.cut_off} runs were cut off")
            try:
                (work if name in ("work", "sweep") else events)(context, message)
            except Violation:
                raise
            except Exception as error:
                raise Violation(f"escaped: {type(error).__name__} from {name}: {error}") from error
            if request is not None:
                self._covers(context, request, process, message)

        return known

    def _covers(self, context: TriggerContext, request: WorkMessage, process: Process, message: Message) -> None:
        """A request that is about to be acknowledged is done, or will be: a run began since, or a message is there."""
        margin = self.oracles.error_of_clocks + MARGIN
        heads = [self.oracles.commits[one] for one in self.oracles.heads.since(process.put - margin)]
        named = [key for key in request.keys if all(key in one and intended.is_valid(one[key]) for one in heads)]
        sql = "SELECT text FROM messages WHERE id != ?"
        waiting = " ".join(text for (text,) in self.file.execute(sql, (message.id,)))
        for status in unnamed.statuses(context.state, named) if coverage.is_whole(request) else ():
            moments = [status.covered, status.seen, None if status.run is None else status.run.started]
            newest = max((one.timestamp() for one in moments if one is not None), default=0.0)
            if newest < process.put - margin and status.key not in waiting:
                raise Violation(
                    f"lost: the request of {request.trigger} for {status.key} was acknowledged, and not done"
                )


def play(seed: int, steps: Sequence[Json], mutant: Any = None) -> Outcome:
    """Play these steps, and the end; a broken rule is in the outcome."""
    from tests.simulation.ending import Ending  # noqa: PLC0415 - an ending is about a play
    from tests.simulation.steps import STEPS  # noqa: PLC0415 - likewise

    memory = Path("/dev/shm")  # noqa: S108 - a file there costs no disk; any other place will do
    folder = Path(tempfile.mkdtemp(prefix="simulation-", dir=memory if memory.is_dir() else None))
    made: Play | None = None
    try:
        made = Play(seed, folder, mutant)
        for step in steps:
            made.say(f"step {json.dumps(step, sort_keys=True)}")
            STEPS[step["do"]](made, step)
            made.oracles.look()
        Ending(made).play()
    except Violation as error:
        assert made is not None
        made.outcome.violation = str(error)
    finally:
        if made is not None:
            made.close()
        shutil.rmtree(folder, ignore_errors=True)
    return made.outcome
