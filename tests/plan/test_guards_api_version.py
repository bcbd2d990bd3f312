"""A newer api-version: spec and policy have to name it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.plan.policy import Policy
from reconciler.plan.targets import CreatePool, UpdatePool
from tests.plan.guarded import SPEC, arm, rules


@pytest.mark.parametrize("target", ["create", "update"])
@pytest.mark.parametrize(
    ("desired", "written", "allowed", "found"),
    [
        ("", "", (), []),
        ("2026-07-03-preview", "2026-07-03-preview", ("2026-07-*",), []),
        ("2026-07-03-preview", "2026-07-03-preview", (), ["policy-arm-api-versions"]),
        ("2026-07-03-preview", "", ("*",), ["not-in-spec"]),
        ("", "2026-07-03-preview", ("*",), ["not-in-spec"]),
    ],
)
def test_a_newer_api_version_is_that_of_the_spec_and_allowed_by_the_policy(
    target: str, desired: str, written: str, allowed: tuple[str, ...], found: list[str]
) -> None:
    """A version brings fields that no rule here knows, so nothing but both of them lets it be used."""
    kind = CreatePool if target == "create" else UpdatePool
    write = arm(kind(SPEC.pool_id, {}, written))
    spec = replace(SPEC, arm_api_version=desired)
    assert rules(write, spec=spec, policy=Policy(arm_api_versions=allowed)) == found
