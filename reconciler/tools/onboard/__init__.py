"""What the operator's identity needs in an organization: looked at, told as steps, and given by a person who may.

::

    step      one thing to give: what, why, how by hand, who may, and how it stands
    needs     what each mode needs, and whether what is there is enough; pure
    observed  what one organization says of the identity, as a value
    steps     from what is observed to the steps that are missing, in the order of giving; pure
    looking   the reads behind it, each made once until something is written there
    giving    one kind of step after the other, and a look after each: given is what was seen

Nothing here takes away, lowers an access level, or touches the roles of anybody else: there is no call that could.
The caller is a person with rights of their own, never the operator itself.
"""

from __future__ import annotations

from reconciler.tools.onboard.apply import BLIND_PAUSE, Giving, OnboardingWriters, Round
from reconciler.tools.onboard.observe import OnboardingReaders, OrganizationReader, unknown_projects
from reconciler.tools.onboard.requirements import OnboardRequest
from reconciler.tools.onboard.step import Leave, OnboardStep, Standing, StepKind, View

__all__ = [
    "BLIND_PAUSE",
    "Giving",
    "Leave",
    "OnboardRequest",
    "OnboardStep",
    "OnboardingReaders",
    "OnboardingWriters",
    "OrganizationReader",
    "Round",
    "Standing",
    "StepKind",
    "View",
    "unknown_projects",
]
