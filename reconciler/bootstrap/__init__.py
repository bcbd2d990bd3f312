"""Puts the program together: the only place that knows which adapter stands behind which port.

::

    connections   the session, the credential, telemetry, the deployment's own files, and what a planner is made of
    stores        state, leases and queues
    program       `look` gives what reading and planning need and nothing that could write; `build` adds writers
    commands      what the commands that read need, and `onboard`

An adapter is imported when it is needed: the SDKs behind some take longer to import than a plan takes to make.
"""

from __future__ import annotations

from reconciler.bootstrap.commands import Onboarding, Questions, Tools, onboarding, questions, tools
from reconciler.bootstrap.connections import capabilities, capabilities_at, policy, telemetry
from reconciler.bootstrap.program import App, Look, audit, build, git_authorization, look, source
from reconciler.bootstrap.stores import Store, in_storage, statuses, store

__all__ = [
    "App",
    "Look",
    "Onboarding",
    "Questions",
    "Store",
    "Tools",
    "audit",
    "build",
    "capabilities",
    "capabilities_at",
    "git_authorization",
    "in_storage",
    "look",
    "onboarding",
    "policy",
    "questions",
    "source",
    "statuses",
    "store",
    "telemetry",
    "tools",
]
