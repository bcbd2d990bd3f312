"""Which pools mean something else: by what is said, wherever and in whatever form it stands."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from reconciler.spec.differences import between
from reconciler.spec.loader import load

SPECS = Path(__file__).parents[2] / "reconciler" / "demo" / "files" / "specs"
FILES = {path.name: path.read_bytes() for path in SPECS.glob("*.yaml")}
MANAGED, RELEASE = "fabrikam-managed-pool", "fabrikam-release-pool"


def compared(after: dict[str, bytes], before: dict[str, bytes] | None = None) -> tuple[set[str], tuple[str, ...]]:
    new = load(after)
    found = between(load(FILES if before is None else before).specs, new.specs, {one.path for one in new.problems})
    return set(found.changed), found.removed


def test_nothing_changed() -> None:
    assert compared(FILES) == (set(), ())


def test_another_name_another_form_and_comments_change_no_pool() -> None:
    document = yaml.safe_load(FILES[f"{MANAGED}.yaml"])
    moved = {"deep/er.json": json.dumps(document).encode(), "b.yaml": b"# a remark\n" + FILES[f"{RELEASE}.yaml"]}
    assert compared(moved) == (set(), ())


def test_two_pools_in_one_file_are_two() -> None:
    joined = {"all.yaml": FILES[f"{MANAGED}.yaml"] + b"\n---\n" + FILES[f"{RELEASE}.yaml"]}
    assert compared(joined) == (set(), ())


def test_a_field_changes_its_own_pool() -> None:
    edited = FILES[f"{MANAGED}.yaml"].replace(b"openAccess: true", b"openAccess: false", 1)
    assert compared({**FILES, f"{MANAGED}.yaml": edited}) == ({MANAGED}, ())


def test_a_new_pool_changed_and_one_without_a_spec_is_removed() -> None:
    alone = {f"{MANAGED}.yaml": FILES[f"{MANAGED}.yaml"]}
    assert compared(FILES, alone) == ({RELEASE}, ())
    assert compared(alone) == (set(), (RELEASE,))
    assert compared(FILES, {}) == ({MANAGED, RELEASE}, ())


def test_a_pool_whose_file_is_broken_is_not_removed() -> None:
    assert compared({**FILES, f"{MANAGED}.yaml": b"x: ["}) == (set(), ())
