"""The seams to everything outside: two services that are read and written, git, state, leases, work, time.

A port speaks the domain's words; HTTP, SDKs and storage formats stay behind it. Readers and writers are separate
types, so that planning holds no object that could write. Each method is one request (or the pages of one list),
never sleeps longer than a short retry, and raises only errors of `reconciler.errors`.

Organizations are given by their bare, lower-case name, projects by id (projects are renamed), people by the
organization's local id (an Entra id in its place is answered with 200 and count 0).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.ports.azure import ArmReader, ArmWriter
from reconciler.ports.azure_resources import AzureResourcesReader
from reconciler.ports.devops import DevOpsReader, DevOpsWriter

# --- what is read ------------------------------------------------------------------------------------


# --- the two planes -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Readers:
    """Everything planning holds."""

    arm: ArmReader
    devops: DevOpsReader
    around: AzureResourcesReader | None = None
    """None: this deployment looks at nothing beside its pools."""


@dataclass(frozen=True, slots=True)
class Writers:
    """What applying holds in addition."""

    arm: ArmWriter
    devops: DevOpsWriter


# --- git ----------------------------------------------------------------------------------------------


# --- state, leases, work ------------------------------------------------------------------------------


Progress = Iterable[str]
"""Lines for people while something takes long."""
