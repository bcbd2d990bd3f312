"""The managed aspects, one module each: the registry, which is also the order of application.

Within one run, everything that widens comes before everything that narrows; within each half this order holds. So
roles are assigned before inheritance is switched off, and inheritance is switched off before assignments are removed.
"""

from __future__ import annotations

from typing import Any

from reconciler.engine.facet import Facet
from reconciler.facets import (
    agent_pool,
    inheritance,
    open_access,
    pipelines,
    pool,
    prerequisites,
    queue_roles,
    queues,
    restoration,
    roles,
)

FACETS: tuple[Facet[Any, Any], ...] = (
    pool.FACET,
    agent_pool.FACET,
    queues.FACET,
    restoration.FACET,
    open_access.FACET,
    pipelines.FACET,
    queue_roles.FACET,
    inheritance.FACET,
    roles.FACET,
    prerequisites.FACET,
)
"""A new aspect is one module beside these and one line here."""
