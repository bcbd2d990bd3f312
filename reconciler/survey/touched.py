"""Which facts a write touches, and so have to be read again."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.spec.model import Spec
from reconciler.survey import scopes
from reconciler.survey.memo import Key
from reconciler.survey.operators import UNTOUCHED

_SPARED = {"projects", "hidden projects", "groups of projects", "deleted projects", "me", "identity"} | UNTOUCHED


def by_write(organization: str | None, project_id: str | None, queue_id: int | None) -> Callable[[Key], bool]:
    """With nothing named all that can be written, else what the innermost name holds.

    A write inside a project touches nothing outside it, a write on a queue not the list of queues, and no write of
    ours touches which projects there are, who we are, or who a principal is that was known.
    """
    if organization is None:
        return lambda key: key.kind != "azure resources"
    spared = _SPARED if project_id is None else {"queues", "pipelines"} if queue_id is not None else {"pipelines"}
    place = organization, project_id or ""
    return lambda key: (key.organization, key.project) == place and key.kind not in spared


def in_arm(spec: Spec) -> Callable[[Key], bool]:
    """What ARM says of one pool."""
    return scopes.of_spec(scopes.arm(spec.key), spec).holds
