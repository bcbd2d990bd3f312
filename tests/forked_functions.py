"""What functions of tests that run in processes of their own are forked from: it has imported the program, as `forkserver`.

What the imports made is frozen: a collection of garbage in each of these processes would go over all of it.
"""

from __future__ import annotations

import gc

from tests import forkserver
from tests.contract import racing, recording
from tests.crashes import killing

__all__ = ["killing", "racing", "recording"]

forkserver.preload()
gc.collect()
gc.freeze()
