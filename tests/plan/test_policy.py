"""The deployment's policy: what a file may say, what is wrong with one, and what its patterns fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import SpecInvalid
from reconciler.plan.policy import Policy, allows, load, problems
from reconciler.plan.policy.fields import ROWS


def test_a_whole_file_is_read() -> None:
    text = b"""
subscriptions: [11111111-2222-3333-4444-555555555555]
resourceGroups: ['rg-*']
organizations: []
projects: [fabrikam-prime/*]
principals: ['*@fabrikam.com']
openAccess: false
createPools: no
replacePools: [fabrikam-managed-pool]
materialise: TRUE
maxRoleRemovals: 0
"""

    assert load(text) == Policy(
        subscriptions=("11111111-2222-3333-4444-555555555555",),
        resource_groups=("rg-*",),
        organizations=(),
        projects=("fabrikam-prime/*",),
        principals=("*@fabrikam.com",),
        open_access=(),
        create_pools=False,
        replace_pools=("fabrikam-managed-pool",),
        materialise=True,
        max_role_removals=0,
    )


def test_an_empty_mapping_is_the_default() -> None:
    assert load(b"{}") == Policy()


def test_every_problem_is_told_with_its_line_and_the_nearest_name() -> None:
    """All problems of a policy are named at once, or it is deployed three times."""
    text = b"""organisations: [a]
projects: fabrikam-prime/*
projects: [1]
maxRoleRemovals: -1
openAccess: perhaps
zzz: 1
"""

    first = ", ".join(row.name for row in ROWS if row.first == 1)

    assert problems(text) == (
        "policy:1: organisations: unknown field; did you mean organizations?",
        "policy:2: projects: is not a list of patterns; leave it out where everything is allowed",
        "policy:3: projects: is given twice",
        "policy:3: projects: holds a value that is not text; put it in quotes",
        "policy:4: maxRoleRemovals: is not a whole number from 0 to 1000",
        "policy:5: openAccess: is not true or false",
        f"policy:6: zzz: unknown field; known are {first}",
    )
    with pytest.raises(SpecInvalid, match=r"^policy:1: .*; policy:2: "):
        load(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "policy:1: is empty"),
        (b"# only a remark", "policy:1: is empty"),
        (b"- a", "policy:1: is not a mapping of apiVersion, allow"),
        (b"a: [", "policy:1: is not YAML: "),
        (b"a: \xff", "policy:1: is not UTF-8 text"),
        (b"a: \x00", "policy:1: is not YAML: unreadable"),
        (b"organizations: ['']", "policy:1: organizations: holds a value that is not text"),
        (b"maxRoleRemovals: 1001", "policy:1: maxRoleRemovals: is not a whole number"),
        (b"maxRoleRemovals: 0x10", "policy:1: maxRoleRemovals: is not a whole number"),
        (b"maxRoleRemovals: 010", "policy:1: maxRoleRemovals: is not a whole number"),
        (b"organizations: !!python/object:os.system [a]", "policy:1: organizations: is not a list of patterns"),
        (b"organizations: !!bool [a]", "policy:1: organizations: is not a list of patterns"),
        (b"openAccess: [true]", "policy:1: openAccess: is not true or false"),
        (b"{}\n---\n{}", "policy:2: is not YAML: "),
    ],
)
def test_what_is_no_policy_gives_one_clear_line(text: bytes, message: str) -> None:
    """A policy that cannot be read allows nothing: it must never be taken for an empty one."""
    found = problems(text)

    assert found
    assert found[0].startswith(message)
    assert "\n" not in found[0]


@given(st.binary(max_size=60))
def test_any_bytes_are_a_policy_or_a_list_of_problems(text: bytes) -> None:
    if problems(text):
        with pytest.raises(SpecInvalid):
            load(text)
    else:
        assert isinstance(load(text), Policy)


@pytest.mark.parametrize(
    ("patterns", "name", "allowed"),
    [
        (None, "anything", True),
        ((), "anything", False),
        (("fabrikam-*",), "Fabrikam-Prime", True),
        (("FABRIKAM-PRIME",), "fabrikam-prime", True),
        (("fabrikam-prime",), "fabrikam-prime-2", False),
        (("a?",), "ab", True),
        ((r"[fabrikam-prime]\*",), r"[fabrikam-prime]\Platform", True),
        ((r"[fabrikam-prime]\*",), r"f\Platform", False),
    ],
)
def test_patterns(patterns: tuple[str, ...] | None, name: str, allowed: bool) -> None:
    """Brackets mean themselves: a group's name looks like a character class."""
    assert allows(patterns, name) is allowed
