"""Read, observe, plan, guard, apply, prove, report: what turns a spec into two true planes.

::

    planner   what would be done (`Planner`): holds readers only
    events    what a listener is told while it is being done
"""

from __future__ import annotations

from reconciler.engine.planner import Planner

__all__ = ["Planner"]
