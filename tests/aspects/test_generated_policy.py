"""Any body that the program knows is created under the policy of its own spec as it is without a policy."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings

from reconciler.plan.policy import Policy
from tests.aspects.bodies import bodies
from tests.examples import tries
from tests.policy.estate import differing, estate, plan
from tests.policy.test_generated import generated


@settings(deadline=None, max_examples=tries(40))
@given(bodies())
def test_a_creation_of_any_body_passes_its_generated_policy(document: dict[str, Any]) -> None:
    without = plan(document, Policy(), estate(pools=False))

    assert differing(plan(document, generated(document), estate(pools=False))) == differing(without)
