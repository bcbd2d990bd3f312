"""A policy that allows what specs use, and nothing else.

With it the plan of every spec is the plan without a policy. Consent that is not given without a policy either
(`replacePools`, `armApiVersions`, `materialise`) is left to a person, and named in a note.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.plan import spec_allows
from reconciler.plan.policy import Allow, uses
from reconciler.plan.policy.fields import BY_ATTRIBUTE
from reconciler.plan.policy.model import folded
from reconciler.spec import effective
from reconciler.spec.model import Organization, Spec

_MACHINES = ("identities", "subnets", "images", "certificates", "skus", "logon_types", "provisioning_scripts")
_WILDCARDS = frozenset("*?")


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """Entries of `allow`, and what a person should know of them."""

    allow: tuple[Allow, ...]
    notes: tuple[str, ...] = ()


def draft_policy(specs: Sequence[Spec]) -> PolicyDraft:
    """One entry for each pool; pools that use the same share one."""
    notes: list[str] = []
    entries: dict[str, tuple[dict[str, object], list[str]]] = {}
    for spec in sorted(specs, key=lambda one: one.key):
        used = {name: _patterns(spec, name, found, notes) for name, found in _uses(spec).items()}
        given: dict[str, object] = {name: patterns for name, patterns in used.items() if patterns}
        if machines := uses.machines(spec.body):
            given["max_concurrency"] = machines
        given["create_pools"] = True
        entries.setdefault(repr(sorted(given.items())), (given, []))[1].append(spec.name)
        notes += [*_consents(spec), *_wider(spec)]
    return PolicyDraft(
        tuple(Allow({"pools": tuple(pools), **given}) for given, pools in entries.values()), tuple(notes)
    )


def _uses(spec: Spec) -> Mapping[str, list[str]]:
    """Field of `PoolLimits` → what the spec uses of it."""
    body = uses.of_update(spec.body)
    places = list(_places(spec))
    return {
        "subscriptions": [spec.subscription],
        "resource_groups": [spec.resource_group],
        "organizations": [*(one.name for one in spec.organizations), *body["organizations"]],
        "projects": [*(f"{one.name}/{project}" for one, project in places), *body["projects"], *_further(spec)],
        "principals": [who for _, _, who in _roles(spec)],
        "roles": [f"{where}/{role}={who}" for where, role, who in _roles(spec)],
        "open_access": [
            *(
                f"{one.name}/{project}"
                for one, project in places
                if one.open_access and not _closed(spec, one.name, project)
            ),
            *(f"{one.organization}/{one.project}" for one in spec.access.open_access if one.allow),
        ],
        "pipelines": [
            f"{one.organization}/{one.project}/{pipeline}"
            for one in spec.access.pipelines
            for pipeline in one.pipelines
        ],
        "inheritance": [one.name for one in spec.organizations if spec_allows.inheritance(spec, one.name)],
        **{name: body[name] for name in _MACHINES},
    }


def _places(spec: Spec) -> Iterator[tuple[Organization, str]]:
    """Organizations with each of their projects; ``*`` where a spec means all, or leaves that to ARM."""
    for one in spec.organizations:
        for project in one.projects or ("*",):
            yield one, project


def _closed(spec: Spec, organization: str, project: str) -> bool:
    """Whether an exception closes the project for good; after a last day the organization's flag counts again."""
    return any(
        one.until is None and not one.allow
        for one in spec.access.open_access
        if spec_allows.same(one.organization, organization) and spec_allows.same(one.project, project)
    )


def _further(spec: Spec) -> Iterator[str]:
    """Projects that `access` alone names."""
    yield from (f"{one.organization}/{one.project}" for one in spec.access.open_access)
    yield from (f"{one.organization}/{one.project}" for one in spec.access.pipelines)
    yield from (f"{one.organization}/{one.project}" for one in spec.access.queue_roles)


def _roles(spec: Spec) -> Iterator[tuple[str, str, str]]:
    """Place, role and principal of everyone whom the spec names."""
    profile = spec.permission_profile
    for one in spec.organizations:
        own = [who for roles in spec.access.roles if spec_allows.same(roles.organization, one.name)
               for who in roles.administrators or ()]  # fmt: skip
        for who in (*own, *(profile.users if profile else ()), *(profile.groups if profile else ())):
            yield one.name, effective.ADMINISTRATOR, who
    for queue in spec.access.queue_roles:
        for role, principals in queue.roles.items():
            for who in principals:
                yield f"{queue.organization}/{queue.project}", role, who


def _patterns(spec: Spec, attribute: str, found: Sequence[str], notes: list[str]) -> tuple[str, ...]:
    """The values as patterns, each once; a name with a wildcard in it would allow others too, and is left out."""
    kept: dict[str, str] = {}
    for one in found:
        everything = one.endswith("/*") and attribute in ("projects", "open_access")
        if _WILDCARDS & set(one[:-1] if everything else one):
            notes.append(
                f"{spec.name}: {BY_ATTRIBUTE[attribute].name}: {one} is left out: as a pattern it would match others"
            )
        else:
            kept.setdefault(folded(one), one)
    return tuple(kept.values())


def _wider(spec: Spec) -> Iterator[str]:
    """Where patterns cannot say what the spec says: all projects but one."""
    for one in spec.access.open_access:
        place = spec_allows.organization(spec, one.organization)
        if place is not None and place.open_access and not place.projects and not one.allow and one.until is None:
            closed = f"{one.organization}/{one.project}"
            yield f"{spec.name}: openAccess: {one.organization}/* allows {closed} too, which the spec closes"


def _consents(spec: Spec) -> Iterator[str]:
    if spec.replace:
        yield f"{spec.name}: says replace: allowed; name it in replacePools to agree that it is deleted"
    if spec.arm_api_version:
        yield f"{spec.name}: names armApiVersion {spec.arm_api_version}; name that in armApiVersions to agree"
