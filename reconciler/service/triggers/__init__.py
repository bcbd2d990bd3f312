"""What each trigger does, independent of the host: `function_app.py` and `serve` both call it.

::

    messages   events of Event Grid and the audit stream, work messages, dead letters
    timers     the periodic full resync, and polls of Git and of audit logs
    web        HTTP: requests, statuses, plans, health, pushes
    logs       one structured line for each run

No rule about pools is here: events become keys, keys become runs, and the engine does the rest.
"""

from __future__ import annotations

from reconciler.service.triggers.context import TriggerContext, TriggerOptions

__all__ = ["TriggerContext", "TriggerOptions"]
