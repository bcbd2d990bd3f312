"""Resources that a spec names beside its pool. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from reconciler.spec.model import Spec


@dataclass(frozen=True, slots=True)
class Named:
    """Identities, vaults and the subnet of one pool."""

    identities: tuple[str, ...] = ()
    """Resource ids of the user-assigned ones, sorted."""
    system: bool = False
    """Whether the pool has an identity of its own besides."""
    vaults: tuple[str, ...] = ()
    """Names, lower case, sorted: a vault's address is its name."""
    subnet: str = ""
    """Resource id; empty where none is named."""

    def __bool__(self) -> bool:
        """Whether there is anything to check: a system-assigned identity needs nothing but the pool."""
        return bool(self.identities or self.vaults or self.subnet)


_NOTHING = Named()


def named(spec: Spec) -> Named:
    """What the spec points to."""
    identity: Mapping[str, Any] = spec.body.get("identity") or {}
    fabric = _part(spec.body.get("properties"), "fabricProfile")
    if not identity and "osProfile" not in fabric and "networkProfile" not in fabric:
        return _NOTHING
    urls = _part(fabric.get("osProfile"), "secretsManagementSettings").get("observedCertificates") or ()
    return Named(
        tuple(sorted(identity.get("userAssignedIdentities") or {})),
        "systemassigned" in str(identity.get("type") or "").casefold(),
        tuple(sorted({(urlsplit(str(url)).hostname or "").partition(".")[0].lower() for url in urls} - {""})),
        str(_part(fabric, "networkProfile").get("subnetId") or ""),
    )


def _part(document: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (document or {}).get(name) or {}
    return found
