"""The policy as a value: which entries are about a pool, what is left without replacement, and what its digest means."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.plan.policy import Policy, allows, rules, uses
from reconciler.plan.policy.model import Allow, allows_project


def united(*entries: dict[str, Any]) -> Policy:
    return Policy(version=2, allow=tuple(Allow(one) for one in entries))


def test_an_entry_without_pools_is_about_none() -> None:
    policy = united({"max_concurrency": 3}).for_pool("pool-1")

    assert (policy.max_concurrency, policy.resolved) == (0, True)
    assert policy.lines["pools"] == ()
    assert policy.where("max_concurrency") == ""


def test_without_replacement_nothing_else_changes() -> None:
    entry = {"pools": ("pool-*",), "replace_pools": ("pool-1",), "max_concurrency": 3}
    policy = Policy(version=2, replace_pools=("pool-9",), max_role_removals=2, allow=(Allow(entry, line=4),))

    kept = policy.without_replacement()
    assert (kept.replace_pools, kept.max_role_removals, kept.version) == ((), 2, 2)
    assert [(one.given, one.line) for one in kept.allow] == [({"pools": ("pool-*",), "max_concurrency": 3}, 4)]
    assert kept.for_pool("pool-1").replace_pools == ()
    assert policy.for_pool("pool-1").replace_pools == ("pool-1",)


def test_the_digest_is_of_the_meaning_and_not_of_the_order() -> None:
    some, more = {"create_pools": True, "max_concurrency": 1}, {"create_pools": False, "max_concurrency": 2}
    turned = {"max_concurrency": 2, "create_pools": False}

    assert united(some, more).digest == united(more, some).digest == united(some, turned).digest
    assert Policy(projects=("a", "b")).digest == Policy(projects=("b", "a")).digest
    different = [united(some), united(more), Policy(), Policy(projects=()), Policy(projects=("a",)), Policy(version=2)]
    assert len({one.digest for one in different}) == len(different)


@pytest.mark.parametrize(
    ("pattern", "name", "allowed"),
    [("a/../b", "a/../b", True), ("a/*", "a/../b", False), ("a/../*", "a/../b", True), ("a/*", "a/b", True)],
)
def test_a_path_that_goes_up_needs_a_pattern_that_does_so(pattern: str, name: str, allowed: bool) -> None:
    assert allows((pattern,), name) is allowed


@pytest.mark.parametrize(("pattern", "allowed"), [("o/*", True), ("o/?", False), ("*", True), ("o/web", False)])
def test_all_projects_are_more_than_any_one(pattern: str, allowed: bool) -> None:
    assert allows_project((pattern,), "o", "*") is allowed


def holding(*identities: str) -> dict[str, Any]:
    return {"identity": {"type": "UserAssigned", "userAssignedIdentities": {one: {} for one in identities}}}


def test_a_slash_at_the_end_is_no_part_of_a_name_and_letters_are() -> None:
    """In what is allowed, in what was there, and in what comes."""
    slashed, plain = holding("/ids/BOX/"), holding("/ids/BOX")
    (name,) = uses.of_creation(plain)["identities"]

    assert list(rules.creation(Policy(identities=(name,)), slashed)) == []
    assert list(rules.update(Policy(identities=()), plain, slashed)) == []
    assert list(rules.update(Policy(identities=()), slashed, plain)) == []
    assert len(list(rules.update(Policy(identities=()), holding("/ids/BO"), slashed))) == 1
    assert uses.places({"repositories": ["https://github.com/fabrikam/BOX/"]}) == ["BOX"]


def script(**image: Any) -> list[str]:
    return list(uses.of_creation({"properties": {"fabricProfile": {"images": [image]}}})["provisioning_scripts"])


def test_a_script_is_named_by_its_account_and_its_entry_point() -> None:
    account, entry = "provisioningScriptStorageAccountResourceId", "provisioningScriptEntryPoint"

    assert script(**{account: "/accounts/BOX/", entry: "/Xrun.sh"}) == ["/accounts/BOX/Xrun.sh"]
    assert script(**{account: "", entry: "run.sh"}) == ["/run.sh"]
    assert script(**{account: 5, entry: 7}) == []
    assert script() == []
