"""Puts the program together: the only place that knows which adapter stands behind which port.

::

    connections   the session, the credential, telemetry, the deployment's own files, and what a planner is made of
    stores        state, leases and queues
    specs         where specs come from
    code_hosts    the host of their repository: pull requests, comments, statuses
    operators     which identities no run may lock out
    program       `look` gives what reading and planning need and nothing that could write; `build` adds writers
    commands      what the commands that read need, and `onboard`

A part is imported when one of its names is first used, and an adapter when it is needed: `validate` shall not pay for
what only `apply` uses, and the SDKs behind some adapters take longer to import than a plan takes to make.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reconciler.bootstrap.code_hosts import code_host
    from reconciler.bootstrap.commands import OnboardingAccess, Questions, Tools, onboarding, questions, tools
    from reconciler.bootstrap.connections import capabilities, capabilities_at, notice_sender, policy, telemetry
    from reconciler.bootstrap.program import App, Look, audit, build, look
    from reconciler.bootstrap.specs import (
        before,
        branches,
        file_of,
        git_authorization,
        path_in_repository,
        place_of,
        require_remote,
        source,
    )
    from reconciler.bootstrap.stores import (
        ReadState,
        Store,
        caller,
        facts_of,
        has_store,
        in_storage,
        last_writes,
        needs,
        owners_of,
        record_file,
        recorded_writes,
        require_store,
        schedules,
        state_problems,
        statuses,
        store,
        unnamed_pools,
    )

__all__ = [
    "App",
    "Look",
    "OnboardingAccess",
    "Questions",
    "ReadState",
    "Store",
    "Tools",
    "audit",
    "before",
    "branches",
    "build",
    "caller",
    "capabilities",
    "capabilities_at",
    "code_host",
    "facts_of",
    "file_of",
    "git_authorization",
    "has_store",
    "in_storage",
    "last_writes",
    "look",
    "needs",
    "notice_sender",
    "onboarding",
    "owners_of",
    "path_in_repository",
    "place_of",
    "policy",
    "questions",
    "record_file",
    "recorded_writes",
    "require_remote",
    "require_store",
    "schedules",
    "source",
    "state_problems",
    "statuses",
    "store",
    "telemetry",
    "tools",
    "unnamed_pools",
]

_PARTS = {
    "commands": ("OnboardingAccess", "Questions", "Tools", "onboarding", "questions", "tools"),
    "connections": ("capabilities", "capabilities_at", "notice_sender", "policy", "telemetry"),
    "program": ("App", "Look", "audit", "build", "look"),
    "code_hosts": ("code_host",),
    "specs": (
        "before",
        "branches",
        "file_of",
        "git_authorization",
        "path_in_repository",
        "place_of",
        "require_remote",
        "source",
    ),
    "stores": (
        "ReadState",
        "Store",
        "caller",
        "facts_of",
        "has_store",
        "in_storage",
        "last_writes",
        "needs",
        "owners_of",
        "record_file",
        "recorded_writes",
        "require_store",
        "schedules",
        "state_problems",
        "statuses",
        "store",
        "unnamed_pools",
    ),
}


def __getattr__(name: str) -> Any:
    """The part that a name belongs to is imported when the name is first used."""
    for part, names in _PARTS.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{part}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
