"""Targets: what follows from each, and that no change can say something else than its target."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from reconciler.plan.model import Action, Change, Detail, Risk, Route, in_order
from reconciler.plan.target_form import to_json
from reconciler.plan.targets import (
    AutoProvision,
    CreatePool,
    GroupMember,
    Inheritance,
    OpenAccess,
    PipelineAuthorization,
    RoleAssignmentChange,
    Target,
    UpdatePool,
    role_rank,
)
from tests.plan.every_target import POOL, PROJECT, QUEUE, RESOURCE, TARGETS, TYPES, WHOLE

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "plan.schema.json").read_text(encoding="utf-8"))
TARGET_SCHEMA = {**SCHEMA["$defs"]["target"], "$defs": SCHEMA["$defs"]}
PROFILE = "organizationProfile"


def change(target: Target, **other: Any) -> Change:
    return Change("some", "kind", "subject", None, None, target, **other)


def role(before: str | None, after: str | None) -> RoleAssignmentChange:
    return RoleAssignmentChange(POOL, "id-ann", "ann@fabrikam.com", before, after)


def creating(**profile: Any) -> CreatePool:
    return CreatePool(RESOURCE, {"properties": {PROFILE: profile}})


def test_the_samples_leave_no_type_out() -> None:
    assert tuple(map(type, TARGETS)) == TYPES


@pytest.mark.parametrize(
    ("target", "action", "risk", "route"),
    [
        (OpenAccess(QUEUE, allow=True), Action.CREATE, Risk.WIDENS, Route.DEVOPS),
        (OpenAccess(QUEUE, allow=False), Action.REMOVE, Risk.NARROWS, Route.DEVOPS),
        (PipelineAuthorization(QUEUE, 3, 3, authorized=True), Action.CREATE, Risk.WIDENS, Route.DEVOPS),
        (PipelineAuthorization(QUEUE, 3, 3, authorized=False), Action.REMOVE, Risk.NARROWS, Route.DEVOPS),
        (role(None, "Administrator"), Action.CREATE, Risk.WIDENS, Route.DEVOPS),
        (role("Reader", "Administrator"), Action.UPDATE, Risk.WIDENS, Route.DEVOPS),
        (role("Administrator", "Administrator"), Action.UPDATE, Risk.WIDENS, Route.DEVOPS),
        (role("administrator", "Reader"), Action.UPDATE, Risk.NARROWS, Route.DEVOPS),
        (role("Administrator", "unheard of"), Action.UPDATE, Risk.NARROWS, Route.DEVOPS),
        (role("unheard of", "Reader"), Action.UPDATE, Risk.WIDENS, Route.DEVOPS),
        (role("unheard of", None), Action.REMOVE, Risk.NARROWS, Route.DEVOPS),
        (role(None, None), Action.REMOVE, Risk.NARROWS, Route.DEVOPS),
        (Inheritance(POOL, on=True), Action.UPDATE, Risk.WIDENS, Route.DEVOPS),
        (Inheritance(POOL, on=False), Action.UPDATE, Risk.NARROWS, Route.DEVOPS),
        (AutoProvision(POOL, on=True), Action.UPDATE, Risk.WIDENS, Route.DEVOPS),
        (AutoProvision(POOL, on=False), Action.UPDATE, Risk.NARROWS, Route.DEVOPS),
        (TARGETS[5], Action.CREATE, Risk.WIDENS, Route.DEVOPS),
        (TARGETS[6], Action.CREATE, Risk.WIDENS, Route.DEVOPS),
        (TARGETS[7], Action.CREATE, Risk.WIDENS, Route.DEVOPS),
        (TARGETS[8], Action.CREATE, Risk.WIDENS, Route.DEVOPS),
        (TARGETS[9], Action.CREATE, Risk.NEUTRAL, Route.DEVOPS),
        (TARGETS[10], Action.UPDATE, Risk.NEUTRAL, Route.DEVOPS),
        (CreatePool(RESOURCE, {}), Action.CREATE, Risk.NEUTRAL, Route.ARM),
        (creating(organizations=[{"openAccess": False}]), Action.CREATE, Risk.NEUTRAL, Route.ARM),
        (creating(organizations=[{"openAccess": True}]), Action.CREATE, Risk.WIDENS, Route.ARM),
        (creating(permissionProfile={"kind": "CreatorOnly"}), Action.CREATE, Risk.NEUTRAL, Route.ARM),
        (creating(permissionProfile={"kind": "Inherit"}), Action.CREATE, Risk.WIDENS, Route.ARM),
        (creating(permissionProfile={"kind": "SpecificAccounts", "groups": ["g"]}), Action.CREATE, Risk.WIDENS, Route.ARM),
        (UpdatePool(RESOURCE, {}), Action.UPDATE, Risk.NEUTRAL, Route.ARM),
        (TARGETS[13], Action.REMOVE, Risk.DESTROYS, Route.ARM),
        (TARGETS[14], Action.UPDATE, Risk.DESTROYS, Route.ARM),
    ],
)  # fmt: skip
def test_action_risk_and_route_follow_from_the_target(target: Target, action: Action, risk: Risk, route: Route) -> None:
    one = change(target)

    assert (one.action, one.risk, one.route) == (action, risk, route)
    assert one.narrows is (risk in (Risk.NARROWS, Risk.DESTROYS))
    assert one.destroys is (risk is Risk.DESTROYS)
    assert (one.place is None) is (route is Route.ARM)


@pytest.mark.parametrize("name", ["risk", "action", "route", "narrows", "destroys"])
def test_a_change_cannot_be_given_what_follows_from_its_target(name: str) -> None:
    """A removal that calls itself neutral is no value that anybody could make."""
    with pytest.raises(TypeError):
        change(TARGETS[0], **{name: Risk.NEUTRAL})
    with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
        setattr(change(TARGETS[0]), name, Risk.NEUTRAL)


def test_of_an_update_the_most_harmful_line_counts() -> None:
    harmless = Detail("maximumConcurrency", 1, 2)
    update = change(UpdatePool(RESOURCE, {}), details=(harmless, Detail("organizations[x]", "all", None, Risk.NARROWS)))

    assert (update.risk, update.narrows, update.destroys) == (Risk.NARROWS, True, False)
    recycling = replace(update, details=(*update.details, Detail("sku", "a", "b", Risk.RESTARTS)))
    assert (recycling.risk, recycling.narrows) == (Risk.RESTARTS, True)
    assert change(update.target, details=(Detail("location", "a", "b", Risk.DESTROYS),)).destroys


def test_roles_are_ranked_without_regard_to_case_and_an_unknown_one_is_the_lowest() -> None:
    ranks = [role_rank(name) for name in ("Service Account", "READER", "User", "Creator", "administrator")]

    assert all(lower < higher for lower, higher in pairwise(ranks))


@pytest.mark.parametrize(
    ("place", "resource"),
    [
        (WHOLE, ("distributedtask.globalagentpoolrole", "0")),
        (PROJECT, ("distributedtask.globalagentqueuerole", "id-web")),
        (POOL, ("distributedtask.agentpoolrole", "7")),
        (QUEUE, ("distributedtask.agentqueuerole", "id-web_11")),
    ],
)
def test_a_place_says_on_which_resource_its_roles_are_assigned(place: Any, resource: tuple[str, str]) -> None:
    assert place.resource == resource


# --- a type that is not known ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unheard:
    """Passes no type check, and comes all the same."""

    organization: str = "fabrikam-prime"


def test_a_target_of_an_unknown_type_counts_as_the_most_harmful() -> None:
    stray: Any = Unheard()
    one = change(stray)

    assert (one.action, one.risk, one.narrows, one.destroys) == (Action.REMOVE, Risk.DESTROYS, True, True)
    assert one.place is None
    assert in_order([one, change(TARGETS[0])], ["some"])[-1] is one


# --- the documented form --------------------------------------------------------------------------------------


def test_a_target_is_one_flat_object_with_its_type() -> None:
    assert to_json(OpenAccess(QUEUE, allow=True)) == {
        "type": "openAccess",
        "organization": "fabrikam-prime",
        "projectId": "id-web",
        "project": "Web",
        "queueId": 11,
        "poolId": 7,
        "allow": True,
    }
    assert to_json(TARGETS[13]) == {
        "type": "replacePool",
        "resourceId": RESOURCE,
        "body": {},
        "replaces": ["location"],
        "restores": [],
    }


ROLE = RoleAssignmentChange(POOL, "id-ann", "ann@fabrikam.com", None, "Administrator")
JOIN = GroupMember(WHOLE, "object", "aad.1", "[fabrikam-prime]\\Readers", "vssgp.1")
ELSEWHERE = [replace(ROLE, place=QUEUE), replace(ROLE, place=WHOLE), replace(ROLE, place=PROJECT), JOIN]


@pytest.mark.parametrize("target", [*TARGETS, *ELSEWHERE], ids=lambda one: type(one).__name__)
def test_the_schema_describes_every_target_to_the_letter(target: Target) -> None:
    validator = Draft202012Validator(TARGET_SCHEMA)
    document = to_json(target)

    validator.validate(document)
    for name in document:
        with pytest.raises(ValidationError):
            validator.validate({**document, f"{name}x": 1})
        if name not in ("organization", "project", "projectId", "queueId", "poolId"):  # a wider place has fewer
            with pytest.raises(ValidationError):
                validator.validate({key: value for key, value in document.items() if key != name})
