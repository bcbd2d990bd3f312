"""`serve` as a process of its own, with telemetry on, and an event that the emulated services send it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.config.triggers import Hosting
from tests.deployment import Deployment
from tests.forking import Process

ROOT = Path(__file__).parents[2]


@dataclass
class Served:
    """A process that serves."""

    url: str
    said: list[str] = field(default_factory=list)
    """Lines of its standard error."""
    code: int | None = None

    @property
    def text(self) -> str:
        return "".join(self.said)


@contextmanager
def serving(deployment: Deployment, **more: str) -> Iterator[Served]:
    """Serve until the block ends; after it the process has ended, and all that it says is there."""
    environment = {**_around(), **deployment.environment, **more}
    deployment.context()  # whose owner has set the mode
    command = [sys.executable, "-m", "reconciler", "serve", "--port", "0", "--no-key", "--no-timers"]
    process = Process(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    said: list[str] = []
    listener = threading.Thread(target=said.extend, args=(process.stderr,))
    listener.start()
    ready = process.stdout.readline()
    served = Served(ready.removeprefix("serving ").partition(",")[0], said)
    try:
        assert ready.startswith("serving "), "".join(said)
        yield served
    finally:
        process.send_signal(signal.SIGTERM)
        served.code = process.wait(60)
        listener.join(10)
        process.stdout.close()
        process.stderr.close()


def subscribed(deployment: Deployment, served: Served) -> None:
    """Let the emulated Event Grid tell of what happens to pools, and in Azure DevOps."""
    hosting = Hosting.read(deployment.environment)
    for source, schema, name in (("arm", "cloudevents", "POOL_EVENTS"), ("audit", "eventgrid", "DEVOPS_EVENTS")):
        queue = hosting.bound[f"RECONCILER_{name}_QUEUE"]
        deployment.cloud.do.subscribe(
            f"{served.url}/runtime/webhooks/eventgrid/{queue}", sources=[source], schema=schema
        )


def _around() -> dict[str, str]:
    kept = ("PATH", "HOME", "LANG", "VIRTUAL_ENV", "COVERAGE_PROCESS_START")
    return {name: os.environ[name] for name in kept if name in os.environ}
