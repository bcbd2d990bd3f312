"""Onboarding as four facets: one for each kind of requirement, in the order of granting.

The engine does with them what it does with the facets of a pool: it plans, applies change after change, reads again,
and calls a write without effect an error. The access level comes first, since without it Azure DevOps rejects the
identity; then what only reads, then roles. So a run that ends half-way leaves an identity that reads more than it may
change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

from reconciler.engine.facet import Facet, Observation
from reconciler.errors import NotReady, ReconcilerError, Refused, Rejected
from reconciler.plan.model import Change, Gap, GapKind, Refusal, Remark
from reconciler.plan.policy import Policy, allows
from reconciler.plan.rights.checks import CheckResult
from reconciler.plan.rights.required import ADMINISTER, Requirement, RequirementKind
from reconciler.plan.targets import (
    AccessLevel,
    GroupMember,
    OrganizationPlace,
    ProjectPlace,
    RoleAssignmentChange,
)
from reconciler.ports.devops import MembershipWriter
from reconciler.ports.readers_writers import Writers
from reconciler.spec.model import Mode, Organization, Spec
from reconciler.survey import Survey
from reconciler.tools.onboard.findings import OnboardFinding, excess, findings
from reconciler.tools.onboard.observe import OnboardingReaders, OnboardRequest, OrganizationState, read_organization

_FIRST = RequirementKind.ACCESS_LEVEL


class Onboarding:
    """What one call grants in its organizations."""

    def __init__(
        self, request: OnboardRequest, readers: OnboardingReaders, policy: Policy, writer: MembershipWriter | None
    ) -> None:
        """`writer`: None in a dry run, which applies nothing."""
        self._request = request
        self._readers = readers
        self._policy = policy
        self._writer = writer
        self._states: dict[str, OrganizationState | ReconcilerError] = {}
        self._barred: set[str] = set()
        """Organizations where granting the access level failed: no other grant would reach the identity."""
        self._ids: dict[str, tuple[str, str]] = {}
        """Descriptor and local id of the identity, where it became known in this run."""
        self._rights: dict[tuple[str, str], bool] = {}
        """Organization and token → whether the caller may assign roles there."""

    def facets(self) -> tuple[Facet[Any, Any], ...]:
        """In the order of granting."""
        return tuple(
            Facet(
                name=kind.name.lower(),
                title=kind.value,
                parse=_parse,
                observe=partial(self._observe, kind),
                diff=_diff,
                guard=partial(self._guard, kind),
                apply=self._apply,
            )
            for kind in RequirementKind
        )

    def spec(self, organization: str) -> Spec:
        """One organization in the place of a pool. Nothing of it goes to ARM."""
        place = Organization(organization, agent_pool="", projects=(), open_access=None)
        return Spec(organization, "", "", Mode.ENFORCE, {}, organizations=(place,))

    def unmatched(self) -> tuple[str, ...]:
        """Projects of the request that no organization has; empty where one of them could not be read."""
        states = [one for one in self._states.values() if isinstance(one, OrganizationState)]
        if len(states) < len(self._states):
            return ()
        return tuple(
            written
            for written in self._request.projects
            if not any(self._request.matches(written, one.organization, each) for one in states for each in one.visible)
        )

    # --- observe -----------------------------------------------------------------------------------------

    def _observe(
        self, kind: RequirementKind, spec: Spec, desired: str, survey: Survey
    ) -> Observation[tuple[OnboardFinding, ...]]:
        """The planner observes facets in their order: the first reads the organization for all four."""
        del spec
        if kind is _FIRST:
            self._states[desired] = self._read(desired, survey)
        state = self._states[desired]
        if isinstance(state, ReconcilerError):
            raise state
        found = [one for one in findings(self._request, state) if one.requirement.kind is kind]
        gaps = tuple(_gap(one) for one in found if one.result is not CheckResult.OK and one.target is None)
        remarks = tuple(self._remarks(state)) if kind is _FIRST else ()
        return Observation(tuple(found), gaps, remarks)

    def _read(self, organization: str, survey: Survey) -> OrganizationState | ReconcilerError:
        try:
            return read_organization(self._request, organization, self._readers, survey, self._policy)
        except ReconcilerError as error:
            return error

    def _remarks(self, state: OrganizationState) -> Iterator[Remark]:
        named, id_ = state.principal or state.entry, self._request.object_id
        unknown = (
            f"the organization knows no identity {id_} yet, and the directory search does not find it (it may search "
            f"names only). It must be the object id of the enterprise application: az ad sp show --id {id_} --query id"
        )
        messages = [f"the identity is {named.display_name}" if named else unknown, *excess(self._request, state)]
        if not self._request.projects and (left := len(state.visible) - len(state.projects)):
            messages.append(f"the policy excludes {left} of {len(state.visible)} projects")
        for message in messages:
            yield Remark(_FIRST.name.lower(), state.organization, message)

    # --- guard -------------------------------------------------------------------------------------------

    def _guard(
        self, kind: RequirementKind, observed: Sequence[OnboardFinding], changes: Sequence[Change], policy: Policy
    ) -> Sequence[Refusal]:
        """Refuse what the caller may not grant, and grants to an identity that Azure DevOps does not let in."""
        del policy
        requirements = {one.requirement.subject: one.requirement for one in observed}
        refusals = []
        for change in changes:
            requirement = requirements[change.subject]
            if kind is not _FIRST and self._locked_out(requirement.place.organization):
                refusals.append(Refusal(change, "access-level", f"{change.subject}: waits for the access level"))
            elif requirement.bits and not self._may_assign(requirement):
                message = f"{change.subject}: you may not grant it; {_by_hand(requirement)}"
                refusals.append(Refusal(change, "caller-may-not", message))
        return refusals

    def _may_assign(self, requirement: Requirement) -> bool:
        """Whether the caller administers the agent pools; where that cannot be read, the write shows it."""
        key = requirement.place.organization, requirement.token
        if key not in self._rights:
            try:
                self._rights[key] = self._readers.devops.may(*key, ADMINISTER)
            except ReconcilerError:
                return True
        return self._rights[key]

    def _locked_out(self, organization: str) -> bool:
        state = self._states[organization]
        found = findings(self._request, state) if isinstance(state, OrganizationState) else ()
        return any(
            one.requirement.kind is _FIRST and one.result is CheckResult.MISSING and one.target is None for one in found
        )

    # --- apply -------------------------------------------------------------------------------------------

    def _apply(self, change: Change, writers: Writers) -> None:
        """One write, safe to repeat. Where the access level could not be granted no other grant is tried."""
        target, writer = change.target, self._writer
        if writer is None or not isinstance(target, AccessLevel | GroupMember | RoleAssignmentChange):
            raise Refused(f"{change.subject}: onboarding does not write a {type(target).__name__} here")
        organization = target.place.organization
        if isinstance(target, AccessLevel):
            self._barred.add(organization)
            _set_level(target, writer)
            self._barred.discard(organization)
            return
        if organization in self._barred:
            raise NotReady(f"{change.subject}: waits for the access level")
        if isinstance(target, GroupMember):
            member = target.member or self._known(organization)[0]
            writer.join(organization, member, target.group_descriptor)
        elif target.after is not None:
            identity = target.identity_id or self._known(organization)[1]
            writers.devops.assign_role(organization, *target.place.resource, identity, target.after)

    def _known(self, organization: str) -> tuple[str, str]:
        """Descriptor and local id of an identity that became known in this run."""
        if organization not in self._ids:
            members = self._readers.members
            found = (
                one for one in members.service_principals(organization) if one.object_id == self._request.object_id
            )
            principal = next(found, None)
            if principal is None:
                raise NotReady(f"organization {organization}: the access level was granted and is not visible yet")
            self._ids[organization] = principal.descriptor, members.local_id(organization, principal.descriptor)
        return self._ids[organization]


# --- the promises that need no reads --------------------------------------------------------------------------


def _parse(spec: Spec, now: datetime) -> str:
    del now
    return spec.organizations[0].name


def _diff(desired: str, observed: Sequence[OnboardFinding]) -> Sequence[Change]:
    del desired
    return [_change(one) for one in observed if one.target is not None]


def _change(finding: OnboardFinding) -> Change:
    requirement, target = finding.requirement, finding.target
    assert target is not None  # noqa: S101 - `_diff` plans what can be granted
    match target:
        case AccessLevel():
            before, after = target.before, "Basic"
        case GroupMember():
            before, after = None, target.group
        case RoleAssignmentChange():
            before, after = target.before, requirement.role
    return Change(
        facet=requirement.kind.name.lower(),
        kind=requirement.kind.value,
        subject=requirement.subject,
        before=before,
        after=after,
        target=target,
        note=requirement.why,
    )


def _gap(finding: OnboardFinding) -> Gap:
    requirement = finding.requirement
    kind = GapKind.UNKNOWN if finding.result is CheckResult.UNKNOWN else GapKind.DEGRADED
    message = f"{requirement.subject}: {requirement.what}: {finding.detail}; {_by_hand(requirement)}"
    return Gap(requirement.kind.name.lower(), requirement.subject, kind, finding.reason, message)


def _by_hand(requirement: Requirement) -> str:
    return f"by hand: {requirement.grant('').remedy}, as {requirement.granted_by}"


def _set_level(target: AccessLevel, writer: MembershipWriter) -> None:
    """Add an identity that has no level; raise one that has. To add a member again might lower its level."""
    organization = target.place.organization
    if target.before is not None:
        writer.set_license(organization, target.identity_id, target.after)
        return
    try:
        writer.add(organization, target.object_id, target.after)
    except Rejected as refusal:
        raise Rejected(
            f"{refusal}; the id has to be the object id of an enterprise application in the tenant that the "
            f"organization is connected to: az ad sp show --id {target.object_id} --query id"
        ) from None


def refuse(spec: Spec, changes: Sequence[Change], policy: Policy, *, today: date | None = None) -> tuple[Refusal, ...]:
    """What no plan of onboarding may do: it grants, in the organization it is about, where the policy allows it."""
    del today
    first = [(change, next(_objections(spec, change, policy), None)) for change in changes]
    return tuple(Refusal(change, found[0], f"{change.subject}: {found[1]}") for change, found in first if found)


def _objections(spec: Spec, change: Change, policy: Policy) -> Iterator[tuple[str, str]]:
    target = change.target
    if not isinstance(target, AccessLevel | GroupMember | RoleAssignmentChange) or change.narrows:
        yield "unrecognised", "onboarding grants access levels, groups and roles, and takes nothing away"
        return
    place = target.place
    if not isinstance(place, OrganizationPlace | ProjectPlace) or place.organization != spec.name:
        yield "unrecognised", f"onboarding grants nothing on single agent pools, and nothing outside {spec.name}"
        return
    if not allows(policy.organizations, place.organization):
        yield "policy-organizations", f"the policy does not allow the organization {place.organization}"
    if isinstance(place, ProjectPlace) and not allows(policy.projects, f"{place.organization}/{place.project}"):
        yield "policy-projects", f"the policy does not allow the project {place.organization}/{place.project}"
