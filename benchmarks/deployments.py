"""A deployment of real `serve` processes over one state, events delivered to them over HTTP, and what they did."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import Request, urlopen

from benchmarks import estates
from benchmarks.duplicates import RUNS
from benchmarks.measure import Emulated, emulated
from reconciler.config.settings import Settings
from reconciler.config.triggers import Hosting, state
from reconciler.demo.serving import Serving
from reconciler.documents import Json
from reconciler.safety import ModeScope, WriteMode
from reconciler.service.host.ingress import MAX_EVENTS
from reconciler.service.triggers import TriggerContext, composition

ROOT = Path(__file__).resolve().parents[1]
LONGEST = 900.0
"""Seconds after which what is still on a queue is left over."""
PAUSE = 0.5
"""Seconds between two looks at the queues: what looks more often keeps a storage emulator busy."""
ARM, AUDIT = "pool-events", "devops-events"
QUEUES = (ARM, AUDIT, "work", "sweep")
DEAD = tuple(f"{name}-poison" for name in QUEUES)
GOOD = frozenset({"in-sync", "applied"})
"""What became of a run that left nothing to do."""
_GROUP = f"/subscriptions/{estates.SUBSCRIPTION}/resourceGroups/{estates.GROUP}"


@dataclass
class Deployment:
    """Processes over one state, and what they did."""

    cloud: Emulated
    folder: Path
    environment: dict[str, str]
    context: TriggerContext
    serving: list[Serving] = field(default_factory=list)

    def start(self, stack: ExitStack) -> Serving:
        """One more process."""
        place = self.folder / f"process-{len(self.serving)}"
        place.mkdir()
        arguments = ["serve", "--port", "0", "--no-key", "--no-timers"]
        inherited = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT)}
        made = stack.enter_context(Serving(arguments, place, inherited | self.environment))
        self.serving.append(made)
        return made

    def left(self, names: Sequence[str] = QUEUES) -> int:
        """Messages on these queues, hidden ones included."""
        return sum(self.context.queues.named(name).length() for name in names)

    def idle(self) -> None:
        """Wait until all queues are empty."""
        end = time.monotonic() + LONGEST
        while any(self.left((name,)) for name in QUEUES) and time.monotonic() < end:
            time.sleep(PAUSE)

    def ends(self) -> list[dict[str, Json]]:
        """What became of each pool of each message: lines of all logs."""
        return [line for one in self.serving for line in one.runs()]

    def runs(self) -> list[dict[str, Json]]:
        """Those of runs."""
        return [line for line in self.ends() if line["outcome"] in RUNS]

    def reads(self) -> int:
        """Requests since the log was reset that are no writes."""
        return self.cloud.do.count(writes=False)

    def writes(self) -> int:
        """Likewise."""
        return self.cloud.do.count(writes=True)


def deliver(to: Serving, queue: str, events: Sequence[Json]) -> None:
    """Post events as Event Grid does."""
    for start in range(0, len(events), MAX_EVENTS):
        body = json.dumps(events[start : start + MAX_EVENTS]).encode()
        request = Request(  # noqa: S310 - loopback
            f"{to.url}/runtime/webhooks/eventgrid/{queue}", body, {"Content-Type": "application/json"}
        )
        with urlopen(request, timeout=120) as answer:  # noqa: S310 - loopback
            answer.read()


@contextmanager
def deployed(size: estates.Size, more: dict[str, str]) -> Iterator[tuple[Deployment, ExitStack]]:
    """A deployment that enforces, without any process yet."""
    with tempfile.TemporaryDirectory() as name, emulated(estates.estate(size)) as cloud, ExitStack() as stack:
        folder = Path(name)
        (folder / "specs").mkdir()
        estates.write(size, folder / "specs")
        given = cloud.environment(str(folder / "state.db"), str(folder / "specs"), **more)
        if "STORAGE" in more:
            del given["RECONCILER_STATE"]
        hosting = Hosting.read(given)
        context = composition.build(Settings.read(given, beneath=state(given)), hosting)
        context.safety.set_mode(ModeScope(), WriteMode.ENFORCE, reason="benchmark", by="benchmark")
        yield Deployment(cloud, folder, given, context), stack


def written(name: str, number: int = 0) -> Json:
    """What Event Grid delivers when ARM wrote a pool."""
    pool = f"{_GROUP}/providers/Microsoft.DevOpsInfrastructure/pools/{name}"
    return _event(
        number, pool, "Microsoft.Resources.ResourceWriteSuccess", "Microsoft.DevOpsInfrastructure/pools/write"
    )


def moved(number: int = 0) -> Json:
    """What it delivers when resources of the group were moved: one cause for all pools."""
    operation = "Microsoft.Resources/subscriptions/resourceGroups/moveResources/action"
    return _event(number, _GROUP, "Microsoft.Resources.ResourceActionSuccess", operation)


def _event(number: int, resource: str, kind: str, operation: str) -> Json:
    return {
        "id": f"{number:032x}",
        "topic": f"/subscriptions/{estates.SUBSCRIPTION}",
        "subject": resource,
        "eventType": kind,
        "eventTime": "2026-06-01T12:00:00Z",
        "data": {"resourceUri": resource, "operationName": operation},
        "dataVersion": "2",
        "metadataVersion": "1",
    }
