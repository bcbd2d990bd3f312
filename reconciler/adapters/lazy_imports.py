"""Imports of the SDKs, when they are first needed and one thread at a time.

Both planes are read in parallel, so two threads may want to import packages that import each other. Python breaks
such a deadlock by an error in one of the two; here the second thread waits instead.
"""

from __future__ import annotations

import importlib
from threading import Event, RLock

LOADING = RLock()
"""Held while anything of the SDKs is imported that `load` leaves out."""

_HEAVY = (
    "azure.core.credentials",
    "azure.core.exceptions",
    "azure.core.rest",
    "msrest.exceptions",
    "azure.mgmt.devopsinfrastructure",
    "reconciler.adapters.arm.wire",
    "reconciler.adapters.devops.package",
)
_loaded = Event()


def load() -> None:
    """Import what both planes need; free once it is done."""
    if _loaded.is_set():
        return
    with LOADING:
        for name in _HEAVY:
            importlib.import_module(name)
        _loaded.set()
