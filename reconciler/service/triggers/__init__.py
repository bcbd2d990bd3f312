"""What each trigger does, free of any host: `function_app.py` and `serve` both call it, a few lines each.

::

    messages   Event Grid and the audit stream told something; work; quarantine
    timers     the sweep, and watching git and the audit log
    web        HTTP: wishes, statuses, plans, health, pushes
    logs       one structured line for each run

No rule about pools lives here: events become keys, keys become runs, and the engine does the rest.
"""

from __future__ import annotations

from reconciler.service.triggers.context import TriggerContext, TriggerOptions

__all__ = ["TriggerContext", "TriggerOptions"]
