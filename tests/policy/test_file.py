"""The policy/v2 file: what it may say, every problem with its line, its schema, and policy/v1 written as policy/v2."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import SpecInvalid
from reconciler.plan.policy import (
    Cap,
    CapKind,
    CapPeriod,
    CapScope,
    Operator,
    Policy,
    StatePlace,
    Window,
    load,
    problems,
    warnings,
)
from reconciler.plan.policy.fields import ROWS
from reconciler.plan.policy.model import allows, allows_principal, allows_project, folded
from reconciler.plan.policy.schema import json_schema
from reconciler.plan.targets import Risk
from reconciler.service.triggers import logs
from reconciler.tools.policy import migrated
from tests.policy.estate import GUEST, NAME

WHOLE = b"""apiVersion: policy/v2
allow:
  - pools: [fabrikam-*]
    organizations: [fabrikam-prime]
    maxConcurrency: 10
    createPools: true
  - pools: [FABRIKAM-MANAGED-POOL]
    organizations: [fabrikam-tailspin]
    maxConcurrency: 4
    maxRoleRemovals: 5
caps:
  removals:
    pool: {run: 3, day: 10}
    organization: {day: 50}
  destructions: {all: {day: 1}}
operators: [22222222-3333-4444-5555-666666666666, operator@fabrikam.com]
windows:
  - risks: [restarts, destroys]
    cron: 0 22 * * 6
    timeZone: Europe/Berlin
    length: '04:00:00'
state: https://fabrikamstate.blob.core.windows.net
"""


def test_a_whole_file_is_read() -> None:
    found = load(WHOLE)

    assert found.caps == (
        Cap(CapKind.REMOVALS, CapScope.POOL, CapPeriod.RUN, 3),
        Cap(CapKind.REMOVALS, CapScope.POOL, CapPeriod.DAY, 10),
        Cap(CapKind.REMOVALS, CapScope.ORGANIZATION, CapPeriod.DAY, 50),
        Cap(CapKind.DESTRUCTIONS, CapScope.ALL, CapPeriod.DAY, 1),
    )
    assert [cap.line for cap in found.caps] == [13, 13, 14, 15]
    assert found.operators == (Operator("22222222-3333-4444-5555-666666666666"), Operator("operator@fabrikam.com"))
    weekend = (Risk.RESTARTS, Risk.DESTROYS)
    assert found.windows == (Window(weekend, "0 22 * * 6", "Europe/Berlin", timedelta(hours=4)),)
    assert (found.state, found.version) == (StatePlace("https://fabrikamstate.blob.core.windows.net"), 2)


def test_a_pool_may_have_what_any_entry_that_names_it_allows() -> None:
    policy = load(WHOLE)
    both, one, none = (policy.for_pool(name) for name in (NAME, "fabrikam-release", "contoso"))

    assert (both.organizations, both.max_concurrency) == (("fabrikam-prime", "fabrikam-tailspin"), 10)
    assert (both.create_pools, both.max_role_removals) == (True, 5)
    assert (one.organizations, one.max_concurrency, one.max_role_removals) == (("fabrikam-prime",), 10, 3)
    assert (none.pools, none.organizations, none.create_pools, none.max_concurrency) == ((), (), False, 0)
    assert policy.anywhere.organizations == both.organizations
    assert (both.for_pool("contoso"), both.anywhere) == (both, both)
    assert none.caps == policy.caps


def test_a_policy_that_was_not_asked_for_a_pool_denies_everything() -> None:
    """Code that forgets `for_pool` gets refusals, and no permission."""
    found = load(WHOLE)

    assert (found.organizations, found.create_pools, found.max_concurrency, found.images) == ((), False, 0, ())


def test_lines_are_those_of_the_entries_that_decide() -> None:
    found = load(WHOLE).for_pool(NAME)

    assert found.where("organizations") == " (policy:4, policy:8)"
    assert found.where("create_pools") == " (policy:6)"
    assert found.where("images") == " (policy:3, policy:7 does not name it)"
    assert load(WHOLE).for_pool("contoso").where("pools") == " (policy:2)"
    assert Policy().where("materialise") == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("apiVersion: policy/v3", "policy:1: apiVersion: is not policy/v1 or policy/v2"),
        ("apiVersion: 2", "policy:1: apiVersion: is not policy/v1 or policy/v2"),
        ("apiVersion: policy/v2\napiVersion: policy/v2", "policy:2: apiVersion: is given twice"),
        ("apiVersion: policy/v2\nimages: ['*']", "policy:2: images: unknown field; it belongs into an entry of allow"),
        ("apiVersion: policy/v2\nalow: []", "policy:2: alow: unknown field; did you mean allow?"),
        ("apiVersion: policy/v1\nimages: ['*']", "policy:2: images: unknown field; it is one of policy/v2"),
        ("allow: []", "policy:1: allow: unknown field; it is one of policy/v2, which begins with apiVersion: policy/v2"),
        ('"a\\nb\\e[31m": 1', "policy:1: a\\nb\\x1b[31m: unknown field"),
        ("? [a]\n: 1", "policy:1: a key that is no text: unknown field"),
        ("apiVersion: policy/v2\nallow: &a [*a]", "policy:2: allow[0]: is not a mapping"),
        ("apiVersion: policy/v2\nallow:\n- &a {pools: [x], <<: *a}", "policy:3: allow[0].<<: unknown field"),
        ("apiVersion: policy/v2\nallow: " + "[" * 1000, "policy:1: is nested too deep"),
        ("apiVersion: policy/v2\nallow: {}", "policy:2: allow: is not a list of entries"),
        ("apiVersion: policy/v2\nallow: [x]", "policy:2: allow[0]: is not a mapping"),
        ("apiVersion: policy/v2\nallow:\n- images: []", "policy:3: allow[0]: has no pools; write pools: ['*']"),
        ("apiVersion: policy/v2\nallow:\n- pools: x", "policy:3: allow[0].pools: is not a list of patterns"),
        ("apiVersion: policy/v2\nallow:\n- pools: [1]", "policy:3: allow[0].pools: holds a value that is not text"),
        ("apiVersion: policy/v2\nallow:\n- pools: [a]\n  image: []", "policy:4: allow[0].image: unknown field; did you"),
        ("apiVersion: policy/v2\nallow:\n- pools: [a]\n  openAccess: true", "policy:4: allow[0].openAccess: is not a list"),
        ("apiVersion: policy/v2\nallow:\n- pools: [a]\n  createPools: [a]", "policy:4: allow[0].createPools: is not true"),
        ("apiVersion: policy/v2\nallow:\n- pools: [a]\n  maxConcurrency: 10001", "policy:4: allow[0].maxConcurrency: is not"),
        ("apiVersion: policy/v2\nallow:\n- pools: [a]\n  maxConcurrency: -1", "policy:4: allow[0].maxConcurrency: is not"),
        ("apiVersion: policy/v2\nallow:\n- pools: [a]\n  maxConcurrency: ['9']", "policy:4: allow[0].maxConcurrency: is not"),
        ("apiVersion: policy/v2\nallow:\n- pools: [a]\n  pools: [b]", "policy:4: allow[0].pools: is given twice"),
        ("apiVersion: policy/v2\ncaps: 3", "policy:2: caps: is not a mapping of removals"),
        ("apiVersion: policy/v2\ncaps: {removal: {}}", "policy:2: caps.removal: unknown field; did you mean removals?"),
        ("apiVersion: policy/v2\ncaps: {removals: 3}", "policy:2: caps.removals: is not a mapping of pool"),
        ("apiVersion: policy/v2\ncaps: {removals: {pool: 3}}", "policy:2: caps.removals.pool: is not a mapping of run, day"),
        ("apiVersion: policy/v2\ncaps: {removals: {pool: {week: 3}}}", "policy:2: caps.removals.pool.week: unknown field"),
        ("apiVersion: policy/v2\ncaps: {removals: {pool: {day: x}}}", "policy:2: caps.removals.pool.day: is not a whole"),
        ("apiVersion: policy/v2\ncaps: {removals: {pool: {}, pool: {}}}", "policy:2: caps.removals.pool: is given twice"),
        ("apiVersion: policy/v2\ncaps: {restarts: {organization: {day: 1}}}", "policy:2: caps.restarts.organization: restarts"),
        ("apiVersion: policy/v2\noperators: ann@fabrikam.com", "policy:2: operators: is not a list of addresses"),
        ("apiVersion: policy/v2\noperators: ['*']", "policy:2: operators[0]: is *; write an address"),
        ("apiVersion: policy/v2\noperators: [1]", "policy:2: operators[0]: is not text"),
        ("apiVersion: policy/v2\nstate: [a]", "policy:2: state: is not text"),
        ("apiVersion: policy/v2\nstate: ftp://x", "policy:2: state: is no https:// URL"),
        ("apiVersion: policy/v2\nstate: 'https://x.blob.core.windows.net?sig=CANARY'", "policy:2: state: holds a key"),
        ("apiVersion: policy/v2\nstate: 'https://me:CANARY@x.blob.core.windows.net'", "policy:2: state: holds a key"),
        ("apiVersion: policy/v2\nstate: AccountKey=CANARY", "policy:2: state: holds a key"),
        ("apiVersion: policy/v2\nwindows: {}", "policy:2: windows: is not a list of windows"),
        ("apiVersion: policy/v2\nwindows: [x]", "policy:2: windows[0]: is not a mapping of risks, cron, timeZone, length"),
        ("apiVersion: policy/v2\nwindows: [{}]", "policy:2: windows[0]: has no risks"),
        ("apiVersion: policy/v2\nwindows: [{zone: x}]", "policy:2: windows[0].zone: unknown field"),
    ],
)  # fmt: skip
def test_every_problem_has_its_line_and_place(text: str, expected: str) -> None:
    found = problems(text.encode())

    assert found[0].startswith(expected), found
    assert "CANARY" not in str(found)
    with pytest.raises(SpecInvalid):
        load(text.encode())


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("risks", "[]", "is empty; write some of widens, narrows, restarts, destroys"),
        ("risks", "[neutral]", "holds what is none of widens, narrows, restarts, destroys"),
        ("risks", "restarts", "is not a list of risks"),
        ("cron", "'0 22 * *'", "is no schedule of five fields"),
        ("cron", "'0 0 22 * * 6'", "is no schedule of five fields"),
        ("cron", "'61 22 * * 6'", "is no schedule of five fields"),
        ("cron", "'@daily'", "is no schedule of five fields"),
        ("cron", "5", "is no schedule of five fields"),
        ("cron", "'r r * * *'", "is no schedule of five fields"),
        ("cron", "'R(0-5) * * * *'", "is no schedule of five fields"),
        ("cron", "'H 22 * * 6'", "is no schedule of five fields"),
        ("cron", "'0 0 31 2 *'", "is a schedule without any turn"),
        ("cron", "'0 0 30,31 FEB *'", "is a schedule without any turn"),
        ("timeZone", "Mars/Olympus", "is no time zone of the IANA database"),
        ("timeZone", "W. Europe Standard Time", "is no time zone of the IANA database"),
        ("timeZone", "../../etc/passwd", "is no time zone of the IANA database"),
        ("timeZone", "/etc/localtime", "is no time zone of the IANA database"),
        ("timeZone", "Europe", "is no time zone of the IANA database"),
        ("length", "'00:00:00'", "is no time span"),
        ("length", "4h", "is no time span"),
        ("length", "'24:00:00'", "is no time span"),
        ("length", "'8.00:00:00'", "is no time span"),
    ],
)
def test_a_window_that_cannot_be_meant_is_a_problem(field: str, value: str, expected: str) -> None:
    good = {"risks": "[restarts]", "cron": "'0 22 * * 6'", "timeZone": "UTC", "length": "'04:00:00'", field: value}
    text = "apiVersion: policy/v2\nwindows:\n- " + "\n  ".join(f"{name}: {one}" for name, one in good.items())

    (found,) = problems(text.encode())

    assert f": windows[0].{field}: {expected}" in found


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (datetime(2026, 11, 7, 21, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 7, 20, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 8, 0, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 8, 1, 0, tzinfo=UTC), False),
        (datetime(2026, 7, 4, 20, 0, tzinfo=UTC), True),
        (datetime(2026, 7, 4, 19, 59, tzinfo=UTC), False),
    ],
)
def test_a_window_is_open_in_its_own_time_zone(moment: datetime, is_open: bool) -> None:
    """22 o'clock in Berlin is 21 o'clock UTC in winter, and 20 o'clock in summer."""
    (window,) = load(WHOLE).windows

    assert (window.opened(moment) is not None) is is_open
    assert window.opens_next(moment) > moment


def test_the_old_format_is_worth_a_warning() -> None:
    """Without a file there is nothing to warn of."""
    assert warnings(Policy()) == ()
    assert [line[:20] for line in warnings(load(b"{}"))] == ["policy: is policy/v1"]
    assert warnings(load(WHOLE)) == ()
    assert warnings(load(b"apiVersion: policy/v2")) == ()


# --- what a policy means -------------------------------------------------------------------------------------------


def test_the_digest_is_that_of_the_meaning() -> None:
    """Comments, order and lines mean nothing; every value does."""
    reordered = WHOLE.replace(b"[fabrikam-prime]", b"[fabrikam-prime] # ours").replace(
        b"    maxConcurrency: 10\n    createPools: true\n", b"    createPools: true\n    maxConcurrency: 10\n"
    )
    other = [
        WHOLE.replace(b"maxConcurrency: 10", b"maxConcurrency: 11"),
        WHOLE.replace(b"day: 50", b"day: 51"),
        WHOLE.replace(b"operator@", b"other@"),
        WHOLE.replace(b"04:00:00", b"05:00:00"),
        WHOLE.replace(b"fabrikamstate", b"contosostate"),
        b"{}",
    ]

    assert load(reordered).digest == load(WHOLE).digest
    assert len({load(WHOLE).digest, *(load(one).digest for one in other)}) == len(other) + 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Fabrikam-PRIME", "fabrikam-prime", True),
        ("MÜNCHEN", "münchen", True),
        ("ΣΊΣΥΦΟΣ", "σίσυφοσ", True),
        ("straße", "STRASSE", False),
        ("\u212a", "k", False),
        ("\u0131", "i", False),
        ("\ufb01", "fi", False),
    ],
)
def test_case_is_that_of_single_letters(one: str, other: str, same: bool) -> None:
    """Two projects of Azure DevOps may differ in no more than this."""
    assert (folded(one) == folded(other)) is same
    assert allows([one], other) is same


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_pattern_and_any_name_have_an_answer(pattern: str, name: str) -> None:
    assert allows([pattern], name) in (True, False)
    assert allows(["*"], name) or ".." in name
    assert not allows([], name)
    assert allows_project([pattern], "org", "*") <= allows_project([pattern], "org", "any project")


def test_a_guest_is_matched_by_patterns_that_say_so() -> None:
    assert allows_principal(["*"], GUEST, version=1)
    assert not allows_principal(["*"], GUEST, version=2)
    assert allows_principal(["*#EXT#*"], GUEST.lower(), version=2)


# --- schema, and the old format as the new one -----------------------------------------------------------------------


def test_the_schema_accepts_what_the_program_accepts() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    document = yaml.safe_load(WHOLE)

    validator.validate(document)
    entry = schema["properties"]["allow"]["items"]["properties"]
    assert list(entry) == [row.name for row in ROWS]
    assert all(one["description"] for one in entry.values())


@pytest.mark.parametrize(
    "wrong",
    [
        {"apiVersion": "policy/v1"},
        {"apiVersion": "policy/v2", "images": ["*"]},
        {"apiVersion": "policy/v2", "allow": [{"images": ["*"]}]},
        {"apiVersion": "policy/v2", "allow": [{"pools": ["a"], "openAccess": True}]},
        {"apiVersion": "policy/v2", "allow": [{"pools": ["a"], "maxConcurrency": 10_001}]},
        {"apiVersion": "policy/v2", "allow": [{"pools": [" "]}]},
        {"apiVersion": "policy/v2", "caps": {"restarts": {"organization": {"day": 1}}}},
        {"apiVersion": "policy/v2", "windows": [{"risks": []}]},
    ],
)
def test_the_schema_refuses_what_the_program_refuses(wrong: Any) -> None:
    assert problems(yaml.safe_dump(wrong, sort_keys=False).encode()) or wrong["apiVersion"] == "policy/v1"
    assert not jsonschema.Draft202012Validator(json_schema()).is_valid(wrong)


NAMES = st.sampled_from(
    ["*", "fabrikam-*", "fabrikam-prime", "*@fabrikam.com", "ann*", GUEST, "fabrikam-prime/*", "x?z"]
)
LISTS = st.lists(NAMES, max_size=2)
FIRST = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ("subscriptions", "resourceGroups", "organizations", "projects", "principals", "replacePools"), LISTS
        ),
        "openAccess": st.booleans(),
        "createPools": st.booleans(),
        "materialise": st.booleans(),
        "maxRoleRemovals": st.integers(0, 1000),
    },
)
SUBJECTS = [
    "fabrikam-prime",
    "ann@fabrikam.com",
    GUEST,
    "fabrikam-prime/Web",
    "xyz",
    "ann_x#EXT#@fabrikam.com",
    "other",
]


@given(FIRST)
def test_what_was_allowed_in_the_old_format_is_allowed_after_the_migration(document: dict[str, Any]) -> None:
    """And what was not is not."""
    old = load(yaml.safe_dump(document).encode())
    new = load(migrated(old).encode()).for_pool("any-pool")

    for row in ROWS:
        before, after = getattr(old, row.attribute), getattr(new, row.attribute)
        if row.attribute == "max_concurrency":
            assert after == 10_000
        elif row.attribute == "principals":
            assert [allows_principal(after, one, version=2) for one in SUBJECTS] == [
                allows_principal(before, one, version=1) for one in SUBJECTS
            ]
        elif isinstance(after, tuple):
            assert [allows(after, one) for one in SUBJECTS] == [allows(before, one) for one in SUBJECTS], row.name
        else:
            assert after == before, row.name
    assert new.version == 2


def test_the_service_logs_what_the_owner_should_know(caplog: pytest.LogCaptureFixture) -> None:
    """Once for each process; a deployment without a policy has nothing to be told."""
    with caplog.at_level("INFO", logger="reconciler"):
        logs.policy(load(b"{}"))
        logs.policy(Policy())

    (record,) = caplog.records
    assert '"event":"policy"' in record.message.replace(": ", ":")
    assert "policy migrate" in record.message


KEYS = st.from_regex(r"[a-z][A-Za-z]{2,11}", fullmatch=True)
PLACES = ("", "allow", "caps", "caps.removals", "windows")


@given(KEYS, st.sampled_from(PLACES))
def test_every_key_of_a_policy_is_known_or_named(key: str, place: str) -> None:
    """At each level of the file: what the reader does not take is a problem with its line, never dropped."""
    document = yaml.safe_load(WHOLE)
    spot: Any = document
    for name in filter(None, place.split(".")):
        spot = spot[name]
    spot = spot[0] if isinstance(spot, list) else spot
    known = key in spot
    spot[key] = "x"

    found = problems(yaml.safe_dump(document, sort_keys=False).encode())

    named = [one for one in found if key in one and re.match(r"policy:\d+: ", one)]
    assert named or known or key in {row.name for row in ROWS}, found
