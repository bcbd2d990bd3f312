"""A second opinion: compares a spec with the emulated world as it truly is, by other means than the program's.

It reads the emulator's dump, not its APIs, so hidden projects, lagging reads and lying lists do not exist for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from reconciler.spec.model import Organization, PermissionKind, Spec

Json = Any


class Truth:
    """The emulated world at one moment."""

    def __init__(self, state: Json) -> None:
        self.state = state

    def organization(self, name: str) -> Json:
        """An organization's part."""
        return next(one for one in self.state["organizations"] if one["name"].lower() == name.lower())

    def agent_pool(self, organization: str, name: str) -> Json:
        """An agent pool; None where there is none."""
        pools = self.organization(organization)["agentPools"]
        return next((one for one in pools if one["name"].lower() == name.lower()), None)

    def resource(self, name: str) -> Json:
        """The ARM body of a pool; None where there is none."""
        pools = [pool for one in self.state["subscriptions"] for pool in one["pools"]]
        return next((one for one in pools if one["name"].lower() == name.lower()), None)

    def opened(self, organization: str, pool: str) -> dict[str, bool]:
        """Project → whether its queue is open; projects without a queue are missing."""
        found = self.agent_pool(organization, pool)
        return {queue["project"]: bool(queue["openAccess"]) for queue in found["queues"]} if found else {}

    def administrators(self, organization: str, pool: str) -> set[str]:
        """Names of those who are assigned."""
        return set(self.agent_pool(organization, pool)["roles"].get("Administrator", ()))

    def inherits(self, organization: str, pool: str) -> bool:
        """Whether the agent pool inherits roles."""
        return bool(self.agent_pool(organization, pool)["inherit"])

    def names(self, mail: str) -> str:
        """A principal as the estate calls it, from an address, a group's name or an object id."""
        keys = ("mail", "upn", "oid", "name")
        for one in self.state["principals"]:
            if mail.lower() in {str(one.get(key, "")).lower() for key in keys}:
                return str(one["name"])
        groups = (one["name"] for there in self.state["organizations"] for one in there["groups"])
        return next((str(name) for name in groups if name.lower() == mail.lower()), mail)

    # --- the second opinion ------------------------------------------------------------------------------

    def disagreements(self, spec: Spec, today: date) -> list[str]:
        """Everything that is not as the spec says; what the spec does not name is not looked at."""
        resource = self.resource(spec.name)
        if resource is None:
            return [f"{spec.name}: there is no such resource"]
        found = list(_resource(spec, resource))
        for written in spec.organizations:
            one = _with_arms(spec, written, resource)
            pool = self.agent_pool(one.name, one.agent_pool)
            if pool is None:
                found.append(f"{one.name}: has no agent pool {one.agent_pool}")
                continue
            found += self._queues(spec, one, today)
            found += self._people(spec, one)
        return found

    def _queues(self, spec: Spec, one: Organization, today: date) -> Iterator[str]:
        opened = self.opened(one.name, one.agent_pool)
        visible = [
            p["name"]
            for p in self.organization(one.name)["projects"]
            if p["state"] == "wellFormed" and "operator" not in p["hiddenFrom"]
        ]
        listed = {name.lower() for name in one.projects}
        for project in visible:
            if listed and project.lower() not in listed:
                continue
            if project not in opened:
                yield f"{one.name}/{project}: has no queue"
                continue
            wanted = _wanted(spec, one, project, today)
            if wanted is not None and wanted != opened[project]:
                yield f"{one.name}/{project}: open is {opened[project]}"
        for name in listed - {name.lower() for name in visible}:
            yield f"{one.name}/{name}: is listed and cannot be seen"

    def _people(self, spec: Spec, one: Organization) -> Iterator[str]:
        own = [roles for roles in spec.access.roles if roles.organization.lower() == one.name.lower()]
        profile = spec.permission_profile
        specific = profile is not None and profile.kind is PermissionKind.SPECIFIC_ACCOUNTS
        wanted = {name for roles in own for name in roles.administrators or ()}
        if specific and profile:
            wanted |= {*profile.users, *profile.groups}
        names = {self.names(name) for name in wanted}
        assigned = self.administrators(one.name, one.agent_pool)
        enough = set(assigned)
        if self.inherits(one.name, one.agent_pool):
            there = self.organization(one.name)
            enough |= {*there["administrators"], *there["roles"].get("Administrator", ())}
        for name in sorted(names - enough):
            yield f"{one.name}: {name} does not administer {one.agent_pool}"
        exclusive = any(r.exclusive and (r.administrators is not None or specific) for r in own)
        if exclusive and assigned - names - {"operator"}:
            yield f"{one.name}: {sorted(assigned - names)} administer {one.agent_pool} besides"
        switch = [roles.inherit for roles in own if roles.inherit is not None]
        kinds = {PermissionKind.CREATOR_ONLY: False, PermissionKind.INHERIT: True}
        inherit = all(switch) if switch else kinds.get(profile.kind) if profile else None
        if inherit is not None and inherit != self.inherits(one.name, one.agent_pool):
            yield f"{one.name}: inheritance of {one.agent_pool} is {not inherit}"


def _with_arms(spec: Spec, one: Organization, resource: Json) -> Organization:
    """What the spec leaves out, as the resource has it."""
    profile = resource["properties"]["organizationProfile"]
    own: Json = next((o for o in profile["organizations"] if o["url"].lower().rstrip("/").endswith(f"/{one.name}")), {})
    if "projects" in one.silent:
        one = replace(one, projects=tuple(own.get("projects") or ()))
    if "alias" in one.silent:
        one = replace(one, agent_pool=own.get("alias") or profile.get("alias") or spec.name)
    return one


def _resource(spec: Spec, resource: Json) -> Iterator[str]:
    wanted, seen = spec.body["properties"], resource["properties"]
    if wanted["maximumConcurrency"] != seen["maximumConcurrency"]:
        yield f"{spec.name}: maximumConcurrency is {seen['maximumConcurrency']}"
    if seen.get("provisioningState", "Succeeded") != "Succeeded":
        yield f"{spec.name}: provisioningState is {seen['provisioningState']}"
    there = {one["url"].rstrip("/").lower(): one for one in seen["organizationProfile"]["organizations"]}
    for one in wanted["organizationProfile"]["organizations"]:
        other = there.get(one["url"].rstrip("/").lower())
        if other is None:
            yield f"{spec.name}: {one['url']} is missing"
            continue
        listed = one.get("projects", other.get("projects", ()))
        if {name.lower() for name in listed} != {name.lower() for name in other.get("projects", ())}:
            yield f"{spec.name}: projects of {one['url']} are {other.get('projects')}"
        if one["parallelism"] != other.get("parallelism"):
            yield f"{spec.name}: parallelism of {one['url']} is {other.get('parallelism')}"


def _wanted(spec: Spec, one: Organization, project: str, today: date) -> bool | None:
    for exception in spec.access.open_access:
        fits = exception.organization.lower() == one.name.lower() and exception.project.lower() == project.lower()
        if fits and (exception.until is None or today <= exception.until):
            return exception.allow
    return one.open_access
