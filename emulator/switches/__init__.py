"""Every switch of the emulator in one table, from the three places that own them."""

from __future__ import annotations

from emulator.switch import Switch
from emulator.switches.arm import SWITCHES as ARM
from emulator.switches.devops import SWITCHES as DEVOPS
from emulator.switches.vss import SWITCHES as VSS

TABLE: tuple[Switch, ...] = (*ARM, *VSS, *DEVOPS)


def markdown() -> str:
    """The table as docs/emulator.md prints it."""
    rows = ["| Switch | Values | Default | Decides | Azure | Source |", "| --- | --- | --- | --- | --- | --- |"]
    rows += [
        f"| `{s.name}` | {s.values.replace(' | ', ', ')} | `{s.shown}` | {s.about} | {s.known} | {s.source} |"
        for s in TABLE
    ]
    return "\n".join(rows)
