"""The spec of one run: what its organizations leave out is what ARM has for them now.

A field that a spec does not name is not managed, on both planes. ARM then keeps its value; Azure DevOps has to be
compared with that value, not with a default: a spec without `projects` is not about all projects, and one without
`alias` not about an agent pool that is named like the pool. Pure; the caller has read the document in this run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from reconciler.spec.model import Organization, Spec
from reconciler.spec.names import organization_key

Json = Mapping[str, Any]


def settled(spec: Spec, document: Json | None) -> Spec:
    """The spec with ARM's `projects` and `alias` where it names none; `document`: the resource, None where none exists.

    What ARM has no value for stays silent, but for `alias`: where ARM has no such organization, creation takes the
    profile's alias, else the pool's name.
    """
    if not [one for one in spec.organizations if one.silent]:
        return spec
    observed = _profile(document or {})
    entries = {organization_key(str(one.get("url") or "")): one for one in observed.get("organizations") or ()}
    desired = _profile(spec.body)
    alias = desired.get("alias") or observed.get("alias")
    organizations = [_organization(spec, one, entries.get(one.name), alias) for one in spec.organizations]
    return spec.with_organizations(tuple(organizations))


def created_in_silence(body: Json, observed: Json) -> Iterator[tuple[str, str]]:
    """Rule and reason for each organization that a PUT would create in ARM without saying for which projects."""
    profile = _profile(body)
    known = {organization_key(str(one.get("url") or "")) for one in _profile(observed).get("organizations") or ()}
    for one in profile.get("organizations") or ():
        name = organization_key(str(one.get("url") or ""))
        if profile.get("kind") == "AzureDevOps" and name not in known and "projects" not in one:
            reason = (
                f"the spec names no projects for {name}, and ARM does not have it yet, so ARM would take all of them; "
                "write projects with their names, or projects: [] where all are meant"
            )
            yield "projects-not-named", reason


def _organization(spec: Spec, one: Organization, entry: Json | None, alias: str | None) -> Organization:
    agent_pool, projects = one.agent_pool, one.projects
    if "alias" in one.silent:
        agent_pool = str((entry or {}).get("alias") or alias or spec.name)
    if "projects" in one.silent and entry is not None:
        projects = tuple(map(str, entry.get("projects") or ()))
    silent = one.silent & {"projects"} if entry is None else frozenset[str]()
    return replace(one, agent_pool=agent_pool, projects=projects, silent=silent)


def _profile(document: Json) -> Json:
    found: Json = (document.get("properties") or {}).get("organizationProfile") or {}
    return found
