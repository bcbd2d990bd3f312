"""Writes of another deployment of this operator, as the audit log shows them, where pools of this one may be concerned.

Two deployments that manage one pool undo each other's writes for ever. In one store the second is refused; with two
stores this is where the other is seen: each deployment names itself in the `User-Agent` of its calls, and an audit
entry has that field. An entry about a queue names its project alone, so a pool that is reported need not be the one
that was written to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.config.agent import deployment_of
from reconciler.documents import Json, text_of
from reconciler.service.events.audit import Remembered, log_keys
from reconciler.spec.model import Spec


def others(
    entries: Iterable[Json], specs: Sequence[Spec], remembered: Remembered, organization: str, ours: str
) -> dict[str, tuple[str, ...]]:
    """Name of another deployment → keys of the pools that its writes may concern, both sorted."""
    written: dict[str, list[Json]] = {}
    for entry in entries:
        name = deployment_of(text_of(entry, "userAgent")) if isinstance(entry, dict) else ""
        if name and name != ours:
            written.setdefault(name, []).append(entry)
    found = {name: log_keys(written[name], specs, remembered, organization).keys for name in sorted(written)}
    return {name: keys for name, keys in found.items() if keys}
