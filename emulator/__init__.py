"""ARM and Azure DevOps on loopback: as strict as Azure where Azure's behaviour is known, switchable where not.

`python -m emulator --estate FILE` runs it; `emulator.start(estate)` runs it in a thread of a test.
"""

from emulator.running import Running, start

__all__ = ["Running", "start"]
