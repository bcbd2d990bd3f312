"""What a replacement puts right afterwards: checks anywhere in the spec's organizations, definitions on its word alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.plan.guards import refuse
from reconciler.plan.policy import Policy
from reconciler.plan.targets import RepairedPipeline, RestoredCheck
from reconciler.spec.model import Spec
from tests.plan.guarded import SPEC, TODAY, change, queue

CHECK = {"type": {"id": "8c6f20a7", "name": "Approval"}, "settings": {}, "timeout": 60}
REPAIRING = replace(SPEC, repair_definitions=True)


@pytest.mark.parametrize("project", ["Dev", "NamedNowhere"])
def test_a_check_is_added_wherever_a_queue_of_the_pool_had_it(project: str) -> None:
    """It takes nothing and gives nothing, so the spec does not have to name the project."""
    wanted = change(RestoredCheck(queue(project), "pool-1", CHECK))

    assert refuse(SPEC, [wanted], Policy(), today=TODAY) == ()


@pytest.mark.parametrize(("spec", "rules"), [(SPEC, ["not-in-spec"]), (REPAIRING, [])])
def test_a_definition_is_changed_where_the_spec_says_so(spec: Spec, rules: list[str]) -> None:
    wanted = change(RepairedPipeline(queue(), 3, "\\nightly", 10))

    assert [one.rule for one in refuse(spec, [wanted], Policy(), today=TODAY)] == rules


@pytest.mark.parametrize("target", [RestoredCheck, RepairedPipeline])
@pytest.mark.parametrize(
    ("organization", "policy", "rule"),
    [
        ("fabrikam-other", Policy(), "not-in-spec"),
        ("fabrikam-prime", Policy(organizations=("fabrikam-tailspin",)), "policy-organizations"),
        ("fabrikam-prime", Policy(projects=("fabrikam-prime/Test",)), "policy-projects"),
    ],
)
def test_the_organization_is_the_specs_and_the_policy_counts(
    target: type, organization: str, policy: Policy, rule: str
) -> None:
    place = queue("Dev", organization)
    made = RestoredCheck(place, "pool-1", CHECK) if target is RestoredCheck else RepairedPipeline(place, 3, "\\a", 10)

    (refusal,) = refuse(REPAIRING, [change(made)], policy, today=TODAY)
    assert refusal.rule == rule
