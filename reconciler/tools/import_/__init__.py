"""What is there, as specs: every pool of some subscriptions, and the access that was observed.

::

    reading    the ARM pools, and what Azure DevOps keeps of each (`find`)
    drafts     one pool as a spec, with a comment wherever a value is a guess or could not be read (`drafted`)
    people     how a spec can name those who were found
    unmanaged  pools without a spec, and what has no counterpart on the other plane (`compared`)

The plan of what comes out is empty, or the draft says why it cannot be. Nothing here can write.
"""

from __future__ import annotations

from reconciler.tools.import_.drafts import drafted
from reconciler.tools.import_.observe import Found, find
from reconciler.tools.import_.unmanaged import UnmanagedPool, compared

__all__ = ["Found", "UnmanagedPool", "compared", "drafted", "find"]
