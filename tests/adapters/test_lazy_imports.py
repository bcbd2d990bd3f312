"""Both planes are asked side by side, also by a process that has imported neither SDK yet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys, threading
from reconciler.adapters import lazy_imports
from reconciler.adapters.credentials import StaticCredential

assert "azure.core" not in sys.modules
gate, failed = threading.Barrier(6), []

def first(use):
    gate.wait()
    try:
        use()
    except BaseException as error:
        failed.append(error)

def devops():
    lazy_imports.load()
    import reconciler.adapters.devops.package

def arm():
    lazy_imports.load()
    import azure.mgmt.devopsinfrastructure, azure.core.rest

def token():
    StaticCredential("a", "b").token_info("https://management.azure.com/.default")

threads = [threading.Thread(target=first, args=(use,)) for use in (devops, arm, token) * 2]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not failed, failed
"""


def test_threads_that_need_the_sdks_at_once_wait_for_each_other() -> None:
    """Python ends such a race by an ImportError in one of them, which looked like a bug in a cold start."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )

    assert done.returncode == 0, done.stderr
