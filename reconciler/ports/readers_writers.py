"""What planning holds, and what applying holds in addition.

Readers and writers are separate types, so that planning holds no object that can write. Each method of a port is one
request (or the pages of one list), never sleeps longer than a short retry, and raises only errors of
`reconciler.errors`.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.ports.azure import ArmReader, ArmWriter
from reconciler.ports.azure_resources import AzureResourcesReader
from reconciler.ports.devops import DevOpsReader, DevOpsWriter


@dataclass(frozen=True, slots=True)
class Readers:
    """Everything planning holds."""

    arm: ArmReader
    devops: DevOpsReader
    azure_resources: AzureResourcesReader | None = None
    """None: prerequisites of pools are not checked."""
    parallel: int = 4
    """The most reads of one organization at a time; how many there are adapts to its responses."""


@dataclass(frozen=True, slots=True)
class Writers:
    """What applying holds in addition."""

    arm: ArmWriter
    devops: DevOpsWriter
