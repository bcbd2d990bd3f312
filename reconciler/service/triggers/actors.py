"""Keeps who changed something, as events report it; what cannot be stored only leaves a drift without a name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress

from reconciler.engine import sightings
from reconciler.engine.sightings import Sighting
from reconciler.errors import ReconcilerError
from reconciler.ports.stores import pool_document
from reconciler.service.triggers.context import TriggerContext


def keep_of_organizations(context: TriggerContext, found: Iterable[tuple[str, Sighting]]) -> None:
    """Keep sightings of organizations; one request for each of them, and none where none is new."""
    _keep(context, ((sightings.of_organization(name), one) for name, one in found))


def keep_of_pools(context: TriggerContext, found: Iterable[tuple[str, Sighting]]) -> None:
    """Keep sightings of pools in ARM that a run has seen, by the keys of these."""
    for key, one in found:
        with suppress(ReconcilerError):
            if context.state.load(pool_document(key)) is not None:
                _keep(context, [(sightings.of_pool(key), one)])


def _keep(context: TriggerContext, found: Iterable[tuple[str, Sighting]]) -> None:
    by_name: dict[str, list[Sighting]] = defaultdict(list)
    for name, one in found:
        by_name[name].append(one)
    for name, seen in by_name.items():
        sightings.keep(context.state, name, seen, context.clock.now(), names=context.options.names)
