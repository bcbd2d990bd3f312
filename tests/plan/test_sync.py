"""Drift or pending: which evidence says so, and which content of a spec counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.documents import Json
from reconciler.plan.model import Gap, GapKind, Plan, Refusal
from reconciler.plan.sync import SyncCause, VerifiedSpec, spec_digest, sync_cause
from reconciler.spec.model import Access, Disruption, Mode, OpenAccessException, Organization, Spec
from tests.plan.render.samples import DRIFTED, REMOVED

TODAY = date(2026, 6, 1)
SPEC = Spec(
    "pool-1", "11111111-2222-3333-4444-555555555555", "rg", Mode.ENFORCE, {"tags": {"a": "b"}},
    (Organization("fabrikam-prime", "pool-1", (), open_access=True),), path="pools/pool-1.yaml",
)  # fmt: skip
EMPTY = Plan("pool-1", "c0ffee")
REFUSED = replace(EMPTY, refusals=(Refusal(REMOVED, "last-administrator", "no"),))
UNREAD = replace(EMPTY, gaps=(Gap("roles", "", GapKind.UNKNOWN, "Unavailable", "503"),))


@pytest.mark.parametrize(
    ("verified", "plan", "cause", "reason"),
    [
        (None, DRIFTED, SyncCause.UNKNOWN, "never verified"),
        (VerifiedSpec("now"), DRIFTED, SyncCause.DRIFT, "it was in sync with this very content"),
        (VerifiedSpec("now"), REFUSED, SyncCause.DRIFT, "a refused change is a difference, too"),
        (VerifiedSpec("now"), UNREAD, SyncCause.UNKNOWN, "nothing is known to differ"),
        (VerifiedSpec("then"), DRIFTED, SyncCause.PENDING, "the content changed since"),
        (VerifiedSpec("then"), UNREAD, SyncCause.PENDING, "the content changed, and is not verified yet"),
        (VerifiedSpec("now", superseded=True), DRIFTED, SyncCause.PENDING, "a commit was reverted half-way"),
    ],
)
def test_the_evidence_decides(verified: VerifiedSpec | None, plan: Plan, cause: SyncCause, reason: str) -> None:
    assert sync_cause(verified, "now", plan) is cause, reason


def test_what_a_run_began_with_counts_as_well() -> None:
    """A run that wrote everything has an empty plan, and is not verified yet."""
    assert sync_cause(VerifiedSpec("now"), "now", DRIFTED, EMPTY) is SyncCause.DRIFT


@pytest.mark.parametrize(
    "same",
    [
        replace(SPEC, path="elsewhere.yaml"),
        replace(SPEC, mode=Mode.REPORT),
        replace(SPEC, mode=Mode.PAUSE, until=TODAY, reason="moving"),
        replace(SPEC, disruption=Disruption(timedelta(hours=1))),
        replace(SPEC, replace=True),
    ],
)
def test_how_and_when_it_is_applied_is_not_what_is_desired(same: Spec) -> None:
    assert spec_digest(same, TODAY) == spec_digest(SPEC, TODAY)


@pytest.mark.parametrize(
    "other",
    [
        replace(SPEC, body={"tags": {"a": "c"}}),
        replace(SPEC, organizations=(replace(SPEC.organizations[0], without_queue=frozenset({"b", "a"})),)),
        replace(SPEC, access=Access(open_access=(OpenAccessException("fabrikam-prime", "Web", allow=False),))),
    ],
)
def test_another_desired_state_is_another_digest(other: Spec) -> None:
    assert spec_digest(other, TODAY) != spec_digest(SPEC, TODAY)


def test_a_set_has_one_digest_in_whatever_order_it_is_kept() -> None:
    def of(*names: str) -> str:
        projects = frozenset(names)
        organization = replace(SPEC.organizations[0], without_queue=projects)
        return spec_digest(replace(SPEC, organizations=(organization,)), TODAY)

    assert of("a", "b", "c") == of("c", "b", "a")


def test_the_end_of_a_dated_exception_is_a_change_of_the_spec() -> None:
    """Nothing in the world changed: from that day on the spec desires something else."""
    exception = OpenAccessException("fabrikam-prime", "Web", allow=False, until=TODAY)
    dated = replace(SPEC, access=Access(open_access=(exception,)))
    tomorrow = TODAY + timedelta(days=1)

    assert spec_digest(dated, TODAY) == spec_digest(dated, TODAY - timedelta(days=30))
    assert spec_digest(dated, TODAY) != spec_digest(dated, tomorrow) == spec_digest(SPEC, tomorrow)


def test_writing_for_another_content_voids_the_evidence_and_writing_for_the_same_does_not() -> None:
    verified = VerifiedSpec("now")

    assert verified.before_writing("now") == verified
    assert verified.before_writing("next") == VerifiedSpec("now", superseded=True)


@given(st.text(min_size=1, max_size=12), st.booleans())
def test_the_evidence_comes_back_as_it_was_stored(digest: str, superseded: bool) -> None:
    verified = VerifiedSpec(digest, superseded)

    assert VerifiedSpec.from_json(verified.to_json()) == verified


@pytest.mark.parametrize("damaged", [None, "abc", {}, {"spec": 7}, {"spec": ""}, []])
def test_damaged_evidence_is_none(damaged: Json) -> None:
    assert VerifiedSpec.from_json(damaged) is None


def test_the_digest_of_stored_states_does_not_change_with_fields_that_say_nothing_new() -> None:
    """A release that adds a field to the model must not turn every difference into a pending one."""
    day = date(2026, 11, 28)
    (one,) = SPEC.organizations
    silent = replace(SPEC, organizations=(replace(one, silent=frozenset({"alias"})),))
    assert spec_digest(SPEC, day) == spec_digest(silent, day)
    assert spec_digest(SPEC, day) != spec_digest(replace(SPEC, arm_api_version="2026-07-03-preview"), day)


def test_a_digest_that_a_state_has_stored_is_the_same_in_this_release() -> None:
    """With another one every pool that differs would be pending, as if its spec had changed."""
    (one,) = SPEC.organizations
    full = replace(
        SPEC,
        organizations=(replace(one, projects=("Web",), without_queue=frozenset({"b", "a"})),),
        access=Access((OpenAccessException("fabrikam-prime", "App", allow=False, until=TODAY),)),
        disruption=Disruption(timedelta(hours=1)),
        replace=True,
        reason="moving",
    )

    assert spec_digest(SPEC, TODAY) == "0f3c57447bbb"
    assert spec_digest(full, TODAY) == "e0e8a3516be0"
    assert spec_digest(replace(full, arm_api_version="2026-06-02"), TODAY) == "073637dedbb6"
