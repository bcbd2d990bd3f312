"""What this deployment allows. It comes from the deployment and is never read from the spec repository.

Spec authors are less trusted than the operator: what the policy does not allow is refused, however well-formed.

::

    model     the policy as a value, and how its patterns match
    fields    one row for each field that limits pools
    parts     what limits the deployment as a whole: caps, operators, windows, state
    file      the YAML file, policy/v1 and policy/v2, with the line of each problem
    uses      what an ARM body uses of what the policy limits
    rules     the difference of two bodies against the policy
    schema    the JSON Schema of a policy/v2 file
"""

from __future__ import annotations

from reconciler.plan.policy.file import load, problems, warnings
from reconciler.plan.policy.model import Allow, Policy, allows
from reconciler.plan.policy.parts import (
    Cap,
    CapKind,
    CapPeriod,
    CapScope,
    Operator,
    ShutWindows,
    StatePlace,
    Window,
    closed,
)

__all__ = [
    "Allow",
    "Cap",
    "CapKind",
    "CapPeriod",
    "CapScope",
    "Operator",
    "Policy",
    "ShutWindows",
    "StatePlace",
    "Window",
    "allows",
    "closed",
    "load",
    "problems",
    "warnings",
]
