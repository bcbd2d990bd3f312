"""`pauses` of a spec: parts of the pool that are not written until a day."""

from __future__ import annotations

import copy
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from reconciler.facets.registry import FACETS
from reconciler.plan.sync import spec_digest
from reconciler.spec import parts
from reconciler.spec.loader import load
from reconciler.spec.model import PARTS, Spec, SpecPause
from tests.spec.conftest import RIGHT

GOOD = {"fields": ["open access", "pool.properties.fabricProfile.images"], "until": "2026-12-31", "reason": "audit"}


def loaded(*pauses: Any) -> Any:
    document = copy.deepcopy(RIGHT) | {"pauses": list(pauses)}
    return load({"a.json": json.dumps(document).encode()})


def spec_of(*pauses: Any) -> Spec:
    found = loaded(*pauses)
    assert [str(one) for one in found.problems] == []
    spec: Spec = found.specs[0]
    return spec


def test_a_pause_is_read_and_ends_after_its_last_day() -> None:
    spec = spec_of(GOOD)

    assert spec.pauses == (SpecPause(("openAccess", "fabricProfile.images"), date(2026, 12, 31), "audit"),)
    assert spec.pauses[0].end == datetime(2027, 1, 1, tzinfo=UTC)
    assert spec.pauses_on(date(2026, 12, 31)) == spec.pauses
    assert spec.pauses_on(date(2027, 1, 1)) == ()
    assert not spec.paused_on(date(2026, 12, 31)), "the pool itself is not paused"


def test_a_pause_is_no_other_desired_state() -> None:
    """Else setting one would turn drift into something pending."""
    assert spec_digest(spec_of(GOOD), date(2026, 6, 1)) == spec_digest(spec_of(), date(2026, 6, 1))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fields": []}, "pauses[0].fields"),
        ({"fields": ["rols"]}, "did you mean roles?"),
        ({"fields": ["fabricProfile.imges"]}, "did you mean fabricProfile.images?"),
        ({"fields": ["fabricProfile.sku.name.x"]}, "has no fields"),
        ({"fields": [""]}, "pauses[0].fields"),
        ({"fields": [5]}, "pauses[0].fields"),
        ({"until": "2026-02-30"}, "pauses[0].until"),
        ({"reason": " "}, "pauses[0].reason"),
        ({"by": "ann"}, "pauses[0].by: is not a field"),
    ],
)
def test_a_pause_that_cannot_be_meant_is_a_problem(change: dict[str, Any], said: str) -> None:
    found = loaded(GOOD | change)

    assert found.specs == ()
    assert said in "; ".join(map(str, found.problems))


@pytest.mark.parametrize("missing", ["fields", "until", "reason"])
def test_a_pause_needs_all_three(missing: str) -> None:
    found = loaded({name: value for name, value in GOOD.items() if name != missing})

    assert f"pauses[0].{missing}" in "; ".join(map(str, found.problems))


def test_every_facet_that_writes_is_a_part() -> None:
    """A new one could not be paused, and a name that is gone would hold nothing."""
    assert {parts.canonical(facet.name) for facet in FACETS} - {"prerequisites"} == set(PARTS)


def test_a_name_with_brackets_escapes_no_pause() -> None:
    path = "fabricProfile.images[odd]name[].buffer"

    assert all(parts.covers(one, "pool", (path,), whole=False) for one in ("fabricProfile", "fabricProfile.images"))
    assert not parts.covers("fabricProfile.sku", "pool", (path,), whole=False)


@pytest.mark.parametrize(
    "name",
    [
        *PARTS,
        "maximumConcurrency",
        "tags.team",
        "tags.a..b",
        "identity",
        "organizationProfile.organizations[x].parallelism",
    ],
)
def test_these_are_fields(name: str) -> None:
    assert parts.wrong(name) == ""
