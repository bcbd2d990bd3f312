"""Where the deployment names its operators: settings, policy, what its service recorded, and the service itself."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from reconciler.adapters.clock import SystemClock
from reconciler.bootstrap.stores import has_store, store
from reconciler.config.settings import Settings
from reconciler.errors import ReconcilerError
from reconciler.plan.policy import Policy
from reconciler.survey.operators import OperatorNames

if TYPE_CHECKING:
    from reconciler.safety import SafetyDocuments


def operator_names(settings: Settings, policy: Policy, documents: SafetyDocuments, *, service: bool) -> OperatorNames:
    """The operators of a run that writes: those of setting and policy, and what the deployed service recorded.

    A service that runs is its own record: it replaces that of an earlier one.
    """
    names = _named(settings, policy)
    if service:
        return OperatorNames(names, deployed=True)
    from reconciler.safety.operators import recorded_operators  # noqa: PLC0415 - see the package's docstring

    return OperatorNames(names, recorded=partial(recorded_operators, documents))


def operator_names_of_plan(settings: Settings, policy: Policy) -> OperatorNames:
    """Those of a plan, which works without the deployment's state: what is recorded counts where it can be read."""
    return OperatorNames(_named(settings, policy), recorded=partial(_recorded, settings))


def _named(settings: Settings, policy: Policy) -> tuple[str, ...]:
    given = filter(None, settings.operators.split(","))
    return tuple(dict.fromkeys([*given, *(one.principal for one in policy.operators)]))


def _recorded(settings: Settings, organization: str) -> Mapping[str, str]:
    if not has_store(settings):
        return {}
    from reconciler.safety import SafetyDocuments  # noqa: PLC0415 - see the package's docstring
    from reconciler.safety.operators import recorded_operators  # noqa: PLC0415

    try:
        with closing(store(settings, SystemClock())) as kept:
            return recorded_operators(SafetyDocuments(kept.safety), organization)
    except ReconcilerError:
        return {}
