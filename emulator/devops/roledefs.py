"""The roles of agent pools and agent queues, and the bits of each.

Role names and meanings: Microsoft Learn, agent pool roles and agent queue roles. The bits are not published;
clients read them from the role definitions, so the ones here only have to be consistent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from emulator.devops.rights import CREATE, LISTEN, USE, VIEW
from emulator.documents import Json
from emulator.switch import Switches

POOL, ALL_POOLS = "distributedtask.agentpoolrole", "distributedtask.globalagentpoolrole"
QUEUE, ALL_QUEUES = "distributedtask.agentqueuerole", "distributedtask.globalagentqueuerole"
SCOPES = (POOL, ALL_POOLS, QUEUE, ALL_QUEUES)
ADMINISTRATOR, READER = "Administrator", "Reader"


@dataclass(frozen=True, slots=True)
class Role:
    """One role of one scope."""

    scope: str
    name: str
    display_name: str
    allow: int
    description: str

    def body(self) -> Json:
        """As role definitions and assignments show it."""
        return {
            "displayName": self.display_name,
            "name": self.name,
            "allowPermissions": self.allow,
            "denyPermissions": 0,
            "identifier": f"{self.scope}.{self.name}",
            "description": self.description,
            "scope": self.scope,
        }


def roles(scope: str, switches: Switches) -> tuple[Role, ...]:
    """The roles of a scope, from the weakest to the strongest."""
    return _roles(
        scope, int(switches.number("devops.pool-administrator-bits")), switches.word("devops.pool-service-role-name")
    )


@lru_cache(maxsize=64)
def _roles(scope: str, administrator: int, service: str) -> tuple[Role, ...]:
    if scope in (POOL, ALL_POOLS):
        return (
            Role(scope, READER, READER, VIEW, "Reader can only view agent pools."),
            Role(scope, service, "Service Account", VIEW | LISTEN | USE, "Service Account can use agent pools."),
            Role(scope, ADMINISTRATOR, ADMINISTRATOR, administrator, "Administrator can manage agent pools."),
        )
    return (
        Role(scope, READER, READER, VIEW, "Reader can only view agent queues."),
        Role(scope, "User", "User", VIEW | USE, "User can use agent queues."),
        Role(scope, "Creator", "Creator", VIEW | USE | CREATE, "Creator can create and use agent queues."),
        Role(scope, ADMINISTRATOR, ADMINISTRATOR, administrator | CREATE, "Administrator can manage agent queues."),
    )


def named(scope: str, name: str, switches: Switches) -> Role | None:
    """A role by name, whatever the case."""
    return next((role for role in roles(scope, switches) if role.name.lower() == name.lower()), None)


def strongest(scope: str, bits: int, switches: Switches) -> Role | None:
    """The strongest role whose bits are all there."""
    return next((role for role in reversed(roles(scope, switches)) if bits & role.allow == role.allow), None)


def scope_of(token: str) -> str:
    """The scope whose roles apply at a token."""
    kind, *rest = token.split("/")
    if kind == "AgentPools":
        return POOL if rest else ALL_POOLS
    return QUEUE if len(rest) > 1 else ALL_QUEUES
