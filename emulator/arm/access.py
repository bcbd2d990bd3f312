"""Checks before any resource provider: whether subscription and group exist, and whether the caller has the right."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.frame import ApiError, Request
from emulator.principals import Principal
from emulator.state.arm import PROVIDER, AzureSubscription, ResourceGroup
from emulator.world import World

ALL = frozenset({"Owner", "Contributor"})
OURS = frozenset({"DevOps Infrastructure Contributor"})
"""May do everything with pools, nothing else (terraform-azurerm-avm-res-devopsinfrastructure-pool)."""
READ = frozenset({"Reader"})


def subscription(world: World, request: Request, *, provider: bool = True) -> AzureSubscription:
    """The subscription of the route; 404 as ARM says it, 409 where the provider is not registered in it."""
    name = request.params["subscription"]
    found = world.arm.subscription(name)
    if found is None:
        raise ApiError(404, "SubscriptionNotFound", f"The subscription '{name}' could not be found.")
    if provider and not found.registered:
        words = (
            f"The subscription is not registered to use namespace '{PROVIDER}'. "
            "See https://aka.ms/rps-not-found for how to register subscriptions."
        )
        raise ApiError(409, "MissingSubscriptionRegistration", words)
    return found


def group(found: AzureSubscription, request: Request) -> ResourceGroup:
    """The resource group of the route, or 404."""
    name = request.params["group"]
    if name.lower() not in found.groups:
        raise ApiError(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")
    return found.groups[name.lower()]


def allow(world: World, request: Request, action: str, scope: str) -> None:
    """403 where no role of the caller at the scope, or above it, has the action."""
    principal = world.principals[request.caller]
    if _allowed(principal, action, scope):
        return
    client = principal.application_id or principal.upn or principal.oid
    words = (
        f"The client '{client}' with object id '{principal.oid}' does not have authorization to perform action "
        f"'{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh "
        "your credentials."
    )
    raise ApiError(403, "AuthorizationFailed", words)


def _allowed(principal: Principal, action: str, scope: str) -> bool:
    if principal.roles is None:
        return True
    return any(covers(role, scope) and _has(str(role.get("role", "")), action) for role in principal.roles)


def covers(role: Mapping[str, str], scope: str) -> bool:
    """Whether a role assignment counts at a scope: there, or above it."""
    above = str(role.get("scope", "/")).rstrip("/").lower()
    return scope.lower() == above or scope.lower().startswith(above + "/")


def _has(role: str, action: str) -> bool:
    if role in ALL or (role in READ and action.endswith("/read")):
        return True
    return role in OURS and (action.lower().startswith(PROVIDER.lower()) or action.endswith("/read"))
