"""Onboarding: grants the operator's identity what it requires in an organization, as a plan like any other.

::

    observe  what an organization says about the identity, as a value; reads only
    findings each requirement of `reconciler.plan.rights.required`, held against that; pure
    facets   four facets, one for each kind of requirement: the engine plans, applies and verifies them

The requirements are the list that `doctor` evaluates. The plan is of one organization instead of one pool, and the
identity that writes is the caller, never the operator. No target that onboarding plans takes anything away.
"""

from __future__ import annotations

from reconciler.tools.onboard.facets import Onboarding, refuse
from reconciler.tools.onboard.observe import OnboardingReaders, OnboardRequest

__all__ = ["OnboardRequest", "Onboarding", "OnboardingReaders", "refuse"]
