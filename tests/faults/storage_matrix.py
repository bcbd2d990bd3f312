"""Every request to Azure Storage of a worker, with every fault: nothing lost, nothing written that is not allowed.

A real Azurite behind a relay that plays the fault in the place of an answer. Call sites come from a run without faults.
Two stories: a commit and drift that take two writes, and the same while the owner paused the pool, which takes none.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from azure.core.pipeline.transport import HttpTransport
from azure.storage.blob import BlobServiceClient

from emulator.requestlog import LogEntry, RequestLog
from reconciler import bootstrap
from reconciler.adapters.azure_storage import wire
from reconciler.adapters.clock import SystemClock
from reconciler.config.settings import Settings
from reconciler.config.triggers import Hosting
from reconciler.documents.chain import problems
from reconciler.engine import Outcome, load_status
from reconciler.engine.status import ConditionKind
from reconciler.errors import ReconcilerError
from reconciler.safety import ModeScope
from reconciler.service.host.workers import Lane, Workers
from reconciler.service.triggers import TriggerContext, composition, messages
from reconciler.telemetry import MemoryTelemetry
from tests.contract.azurite import KEY, Azurite
from tests.deployment import Deployment, deployed, spec
from tests.faults.matrix import documented
from tests.faults.oracle import unlike
from tests.faults.storage_relay import FAULTS, HELD, LOST, MESSAGES, Relay, relayed

POOL = "build-pool"
LEASED = f"pools/{POOL}"
STORIES = ("change", "paused")
MODES = ("once", "for a delivery", "for seven deliveries")
OUTAGE = 7
"""Deliveries: more than a message has before it becomes a dead letter."""
DELIVERIES = 20
REQUESTS = 300
"""To storage, of one delivery: one that makes more does not end."""
SLEPT = 300.0
"""Seconds of pauses of the SDK in one delivery."""
QUEUES = ("work", "sweep")
TAKES = "queue GET work messages"


@dataclass(frozen=True, slots=True)
class StorageCell:
    """One case."""

    story: str
    site: str
    fault: str
    mode: str

    def __str__(self) -> str:
        return f"{self.story}: {self.fault} at {self.site}, {self.mode}"


@dataclass
class Played:
    """What came of a case."""

    problems: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    sites: list[str] = field(default_factory=list)
    deliveries: int = 0
    stalled: bool = False
    """Whether the message ended with a condition that an administrator has to act on."""
    end: Any = None

    def wrong(self, line: str) -> None:
        if line not in self.problems:
            self.problems.append(line)


class _Heard(logging.Handler):
    """Whatever is logged, with tracebacks."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{self.format(record)} {record.__dict__}")


@contextmanager
def staged(folder: Path, azurite: Azurite) -> Iterator[StorageStage]:
    """A deployment in sync with one commit, the next commit, and the account behind a relay."""
    container = f"m{uuid4().hex}"
    more = {
        "RECONCILER_STATE": azurite.connection,
        "RECONCILER_CONTAINER": container,
        "RECONCILER_DEPLOYMENT": "matrix",
        "RECONCILER_WORK_QUEUE": f"{container}-work",
        "RECONCILER_SWEEP_QUEUE": f"{container}-sweep",
    }
    heard, patch = _Heard(), pytest.MonkeyPatch()
    with deployed(folder, more) as deployment, relayed(azurite) as relay:
        context = deployment.context()
        specs = context.catalogue.specs()
        for one in specs.by_key.values():
            with context.worker.reconciler.look([one], shared=False) as look:
                assert look.reconcile(one, specs.revision).outcome is Outcome.IN_SYNC
        before = {"change": _blobs(azurite, container)}
        until = SystemClock().now() + timedelta(days=1)
        context.safety.pause(ModeScope(pool=POOL), until, reason="hold", by="ann")
        before["paused"] = _blobs(azurite, container)
        commit = deployment.commit(**{POOL: spec(POOL, concurrency=3)})
        logger = logging.getLogger()
        logger.addHandler(heard)
        patch.setattr(logger, "level", logging.INFO)
        try:
            yield StorageStage(deployment, relay, before, commit, heard, patch)
        finally:
            logger.removeHandler(heard)
            patch.undo()


@dataclass(frozen=True, slots=True)
class _Blob:
    name: str
    kind: str
    content: bytes
    metadata: dict[str, str]


def _blobs(azurite: Azurite, container: str) -> dict[str, list[_Blob]]:
    """All blobs of both containers, by what their container's name ends with."""
    found: dict[str, list[_Blob]] = {}
    with BlobServiceClient.from_connection_string(azurite.connection) as service:
        for end in ("", "-safety"):
            client = service.get_container_client(container + end)
            found[end] = [
                _Blob(one.name, str(one.blob_type), client.download_blob(one.name).readall(), dict(one.metadata or {}))
                for one in client.list_blobs(include=["metadata"])
            ]
    return found


class StorageStage:
    """One deployment, and a new state in new containers and queues for each case."""

    def __init__(  # noqa: PLR0917 - only `staged` makes it
        self,
        deployment: Deployment,
        relay: Relay,
        before: dict[str, dict[str, list[_Blob]]],
        commit: str,
        heard: _Heard,
        patch: pytest.MonkeyPatch,
    ) -> None:
        self._deployment, self._before, self._commit, self._heard = deployment, before, commit, heard
        self._relay, self._patch = relay, patch
        self._slept, self._unguarded = 0.0, list[str]()
        patch.setattr(HttpTransport, "sleep", lambda _, seconds: self._pause(seconds))
        add = RequestLog.add

        def guarded(log: RequestLog, entry: LogEntry) -> None:
            if entry.write and not relay.held(LEASED):
                self._unguarded.append(f"{entry.method} {entry.path}")
            add(log, entry)

        patch.setattr(RequestLog, "add", guarded)
        self.ideals = {story: self.play(StorageCell(story, "", "", "once")) for story in STORIES}

    def sites(self, story: str) -> list[str]:
        """Sorted."""
        return sorted(set(self.ideals[story].sites))

    def cells(self) -> Iterator[StorageCell]:
        """Each site with each fault in each mode; faults of a message where messages are taken."""
        for story in STORIES:
            for site, fault, mode in product(self.sites(story), FAULTS, MODES):
                if mode != MODES[2] or lasts(site):
                    yield StorageCell(story, site, fault, mode)
            for fault, mode in product(MESSAGES, MODES[:1]):
                yield StorageCell(story, TAKES, fault, mode)

    def play(self, cell: StorageCell) -> Played:
        """Deliver until nothing is left."""
        played, relay, do = Played(), self._relay, self._deployment.cloud.do
        name = f"m{uuid4().hex}"
        direct = self._environment(name, relay.azurite)
        self._copy(cell.story, name)
        do.reset()
        do.switch("arm.update-seconds", 0.05)
        self._deployment.close_access(POOL, "Web")
        do.reset_log()
        self._patch.setattr(wire, "READ_SECONDS", 1.0 if cell.fault in HELD else 30.0)
        relay.begin(cell.fault, cell.site, lasting=cell.mode != MODES[0])
        self._heard.lines.clear()
        self._unguarded.clear()
        process = _Process(self._environment(name, relay.front), relay, played)
        process.request()
        self._deliver(process, played, cell)
        if cell.fault in MESSAGES:
            self._resync(process, played)
        if self._stalled(direct):  # as the condition says: an administrator has to act, and the next full resync looks
            played.stalled = True
            self._swept(process, played)
        if cell.fault and not relay.hits and cell.fault != LOST:
            played.wrong("the fault was never met")
        played.sites = list(relay.sites)
        log = do.requests()
        played.writes = [f"{one['method']} {one['path']}" for one in log if one["write"]]
        if (
            len(self._unguarded) > relay.stolen
        ):  # of a lease broken by hand the store is asked after 20 s: one may follow
            played.wrong(f"written without a lease: {self._unguarded}")
        self._said(played)
        relay.begin()
        self._judge(cell, played, direct, name)
        return played

    def _deliver(self, process: _Process, played: Played, cell: StorageCell) -> None:
        relay, met = self._relay, 0
        for _ in range(DELIVERIES):
            hits, self._slept, requests = relay.hits, 0.0, len(relay.sites)
            process.step()
            played.deliveries += 1
            if len(relay.sites) - requests > REQUESTS or self._slept > SLEPT:
                played.wrong(f"hangs: {len(relay.sites) - requests} requests and {self._slept:g} s in a delivery")
            met += relay.hits > hits
            if met and (cell.mode != MODES[2] or met >= OUTAGE):
                relay.fault = ""
            self._deployment.cloud.do.settle()
            if not relay.later():
                return
        if relay.fault:
            relay.fault = ""  # it is met in some deliveries alone, and they are over
            self._deliver(process, played, cell)
            return
        played.wrong(f"messages are left after {DELIVERIES} deliveries: {sorted(q for q, _ in relay.hidden)}")

    def _resync(self, process: _Process, played: Played) -> None:
        """A message that cannot be read is counted and dropped: the next full resync does what it asked for."""
        if not process.telemetry.total("reconciler.events.dropped", reason="a text that names no pools"):
            played.wrong("a message that cannot be read was not said to be dropped")
        self._swept(process, played)

    def _swept(self, process: _Process, played: Played) -> None:
        """The next full resync, when the fault is over."""
        self._relay.fault = ""
        process.request("sweep")
        self._deliver(process, played, StorageCell("", "", "", MODES[0]))

    @staticmethod
    def _stalled(direct: dict[str, str]) -> bool:
        with closing(bootstrap.store(Settings.read(direct), SystemClock())) as store:
            return load_status(store.state, POOL).condition_true(ConditionKind.STALLED)

    def _pause(self, seconds: float) -> None:
        self._slept += seconds
        self._relay.clock.skip(min(seconds, SLEPT))

    def _environment(self, name: str, azurite: Azurite) -> dict[str, str]:
        return self._deployment.environment | {
            "RECONCILER_STATE": azurite.connection,
            "RECONCILER_CONTAINER": name,
            **{f"RECONCILER_{queue.upper()}_QUEUE": f"{name}-{queue}" for queue in QUEUES},
        }

    def _copy(self, story: str, name: str) -> None:
        with BlobServiceClient.from_connection_string(self._relay.azurite.connection) as service:
            for end, blobs in self._before[story].items():
                container = service.create_container(name + end)
                for one in blobs:
                    blob = container.get_blob_client(one.name)
                    if "Append" in one.kind:
                        blob.create_append_blob(metadata=one.metadata)
                        blob.append_block(one.content)
                    else:
                        blob.upload_blob(one.content, metadata=one.metadata)

    def _said(self, played: Played) -> None:
        text = "\n".join(self._heard.lines)
        for secret in {KEY, *self._relay.signatures} - {""}:
            if secret in text:
                played.wrong("a key or a signature is in the log")

    def _judge(  # noqa: C901 - a list of what may not be
        self, cell: StorageCell, played: Played, direct: dict[str, str], name: str
    ) -> None:
        """What the dump of the emulator and the stored state say; the relay is not asked."""
        played.end = self._deployment.cloud.do.state()
        ideal = self.ideals.get(cell.story) if cell.fault else None
        if ideal is not None:
            for line in unlike(ideal.end, played.end):
                played.wrong(f"at the end: {line}")
            if surplus := Counter(played.writes) - Counter(ideal.writes * 2):
                played.wrong(f"wrong writes: {dict(surplus)}")
        with closing(bootstrap.store(Settings.read(direct), SystemClock())) as store:
            status = load_status(store.state, POOL)
            entries = [one for chain in store.record.chains() for one in store.record.entries(chain)]
            for line in (
                line for chain in store.record.chains() for line in problems(list(store.record.entries(chain)))
            ):
                played.wrong(f"record: {line}")
            for queue in QUEUES:
                if store.named(f"{name}-{queue}-poison").length():
                    played.wrong(f"a dead letter of {queue}")
            if damaged := store.state.names("damaged"):
                played.wrong(f"set aside: {damaged}")
        intents = sum(isinstance(one, dict) and one.get("kind") == "intent" for one in entries)
        if intents < len(set(played.writes)):
            played.wrong(f"{intents} intents on record, {len(played.writes)} writes")
        ready = status.condition_true(ConditionKind.READY)
        if ready != (cell.story == "change") or (ready and status.applied != self._commit):
            told = [(one.kind.value, one.reason, one.message) for one in status.conditions]
            played.wrong(f"at the end {told} of {status.applied}")
        if unknown := {one.reason for one in status.conditions} - documented():
            played.wrong(f"reasons that docs/operations.md does not explain: {sorted(unknown)}")
        if any(KEY in one.message for one in status.conditions):
            played.wrong("a key is in a condition")


class _Process:
    """A process of `serve`, without its timers; it begins again where it could not begin."""

    def __init__(self, environment: dict[str, str], relay: Relay, played: Played) -> None:
        self._environment, self._relay, self._played = environment, relay, played
        self._settings, self._hosting = Settings.read(environment), Hosting.read(environment)
        self.telemetry = MemoryTelemetry()
        self._context: TriggerContext | None = None
        self._workers: Workers | None = None

    def request(self, trigger: str = "event") -> None:
        """A message from elsewhere: it reaches its queue."""
        fault, self._relay.fault = self._relay.fault, ""
        with closing(bootstrap.store(self._settings, self._relay.clock)) as store:
            queue = self._hosting.sweep_queue if trigger == "sweep" else self._hosting.work_queue
            store.named(queue).put(json.dumps({"keys": [POOL], "trigger": trigger}))
        self._relay.sites.clear()
        self._relay.fault = fault

    def step(self) -> None:
        """Take one message of a queue, and work on it."""
        if self._workers is None and not self._begun():
            return
        assert self._workers is not None
        self._workers._step()
        for (queue, _), one in self._relay.hidden.items():
            if one.deliveries > 3 and not queue.endswith("poison"):
                self._played.wrong(f"delivered {one.deliveries} times")

    def _begun(self) -> bool:
        try:
            context = composition.build(self._settings, self._hosting, self.telemetry, self._relay.clock)
        except ReconcilerError:
            return False
        lanes = [
            Lane(queue, context.queues.named(f"{self._settings.container}-{queue}"), self._work) for queue in QUEUES
        ]
        self._context, self._workers = context, Workers(lanes, 2, 10.0, _Once())
        return True

    def _work(self, message: Any) -> None:
        assert self._context is not None
        try:
            messages.work(self._context, message.text, message.inserted)
        except ReconcilerError:
            raise
        except Exception as error:
            self._played.wrong(f"crash: {type(error).__name__}: {error}")
            raise


class _Once:
    """Between two renewals of a message: the first is at once, and there is no other."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def __call__(self, over: threading.Event, _seconds: float) -> bool:
        if id(over) in self._seen:
            return over.wait()
        self._seen.add(id(over))
        return False


def lasts(site: str) -> bool:
    """Whether it may last there: a queue that hands out messages and takes none counts each delivery by itself."""
    return site.startswith("blob")
