"""Who may call: the estate's people, groups and service principals, with their tokens for each plane.

Tokens are plain words of the estate, without value elsewhere; they name a caller without authentication.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from emulator.documents import Json

KINDS = ("user", "group", "servicePrincipal", "managedIdentity")
OPERATOR = "operator"
NAMES = uuid.UUID("5f0a1c1e-9d5b-4a52-9d3a-7f7c0d3f2b11")
"""Ids that an estate leaves out are derived from names under this one, so that they are the same in every run."""


@dataclass(frozen=True, slots=True)
class Principal:
    """One identity of the tenant, known to both planes."""

    name: str
    kind: str
    """One of `KINDS`."""
    oid: str
    """Entra object id."""
    application_id: str
    """Client id; of a service principal or managed identity only, else empty."""
    upn: str
    """User principal name; empty for others."""
    mail: str
    display_name: str
    arm_token: str
    devops_token: str
    roles: tuple[Mapping[str, str], ...] | None
    """Role assignments in ARM, each `role` and `scope`; None: Owner everywhere."""

    @property
    def is_application(self) -> bool:
        """A service principal or a managed identity."""
        return self.kind in {"servicePrincipal", "managedIdentity"}

    def dump(self) -> dict[str, Json]:
        """As it stands in an estate file."""
        raw = {
            "name": self.name,
            "kind": self.kind,
            "oid": self.oid,
            "applicationId": self.application_id,
            "upn": self.upn,
            "mail": self.mail,
            "displayName": self.display_name,
            "armToken": self.arm_token,
            "devopsToken": self.devops_token,
        }
        found: dict[str, Json] = {key: value for key, value in raw.items() if value}
        if self.roles is not None:
            found["roles"] = [dict(role) for role in self.roles]
        return found


def read(raw: Mapping[str, Json]) -> Principal:
    """A principal from the estate; what it leaves out follows from its name."""
    name, kind = str(raw["name"]), str(raw.get("kind", "user"))
    upn = str(raw.get("upn") or raw.get("mail") or "") if kind == "user" else ""
    application = kind in {"servicePrincipal", "managedIdentity"}
    roles = raw.get("roles")
    return Principal(
        name=name,
        kind=kind,
        oid=str(raw.get("oid") or uuid.uuid5(NAMES, f"oid:{name}")),
        application_id=str(raw.get("applicationId") or (uuid.uuid5(NAMES, f"app:{name}") if application else "")),
        upn=upn,
        mail=str(raw.get("mail") or upn),
        display_name=str(raw.get("displayName") or name),
        arm_token=str(raw.get("armToken") or f"arm-{name}"),
        devops_token=str(raw.get("devopsToken") or f"devops-{name}"),
        roles=None if roles is None else tuple(dict(role) for role in roles),
    )


class Principals:
    """All principals of the estate, by name and by token."""

    def __init__(self, found: Iterable[Principal]) -> None:
        self._by_name = {principal.name: principal for principal in found}
        if OPERATOR not in self._by_name:
            self._by_name[OPERATOR] = read({"name": OPERATOR, "kind": "servicePrincipal"})

    def __getitem__(self, name: str) -> Principal:
        return self._by_name[name]

    def find(self, name: str) -> Principal | None:
        """By name; None where there is none."""
        return self._by_name.get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[Principal]:
        return iter(self._by_name.values())

    @property
    def operator(self) -> Principal:
        """The principal under which the tokens of the ready line act."""
        return self._by_name[OPERATOR]

    def by_token(self, plane: str, token: str) -> Principal | None:
        """Whose token it is; the tokens of one plane are worth nothing on the other."""
        for principal in self._by_name.values():
            mine = principal.arm_token if plane == "arm" else principal.devops_token
            if token and mine == token and principal.kind != "group":
                return principal
        return None

    def by_oid(self, oid: str) -> Principal | None:
        """By Entra object id, whatever its case."""
        return next((p for p in self if p.oid.lower() == oid.lower()), None)
