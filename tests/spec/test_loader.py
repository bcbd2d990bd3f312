"""Many files at once: every problem is told, a bad file hides no good one, order means nothing."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from typing import Any
from weakref import ref

import pytest

from reconciler.spec.loader import load
from reconciler.spec.problem import MOST_PROBLEMS


def as_file(document: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps({**document, **changes}).encode()


def test_only_yaml_and_json_files_are_read(right: dict[str, Any]) -> None:
    files = {
        f"{name}.{end}": as_file(right, name=f"pool-{name}")
        for name, end in zip("abcd", ("yaml", "YML", "json", "md"), strict=True)
    }
    found = load({**files, "README": b"\xff"})
    assert [spec.key for spec in found.specs] == ["pool-a", "pool-b", "pool-c"]
    assert found.problems == ()


def test_specs_are_sorted_by_key_and_problems_by_place(right: dict[str, Any]) -> None:
    found = load(
        {
            "z.yaml": as_file(right, name="B-pool"),
            "y.yaml": as_file(right, name="a-pool"),
            "x.yaml": b"a: 1\nb: [",
            "w.yaml": as_file(right, mode="x", reason=""),
        }
    )
    assert [spec.name for spec in found.specs] == ["a-pool", "B-pool"]
    assert [(one.path, one.where) for one in found.problems] == [
        ("w.yaml", "mode"),
        ("w.yaml", "reason"),
        ("x.yaml", ""),
    ]


def test_a_bad_document_hides_no_good_one_in_the_same_file(right: dict[str, Any]) -> None:
    text = as_file(right, name="first-pool") + b"\n---\nkind: nonsense\n---\n" + as_file(right, name="third-pool")
    found = load({"all.yaml": text})
    assert [spec.name for spec in found.specs] == ["first-pool", "third-pool"]
    assert found.problems[0].line == 3
    assert {one.line for one in found.problems} == {3}


def test_a_file_that_breaks_off_gives_no_spec_at_all(right: dict[str, Any]) -> None:
    """Half a file may be half a change: what stands before the break is not trusted either."""
    found = load({"all.yaml": as_file(right) + b"\n---\nname: ["})
    assert (found.specs, len(found.problems)) == ((), 1)


def test_two_specs_for_one_pool_are_both_refused_and_name_each_other(right: dict[str, Any]) -> None:
    text = as_file(right, name="Same-Pool") + b"\n---\n" + as_file(right, name="other-pool")
    found = load({"a.yaml": text, "b.yaml": as_file(right, name="same-pool")})
    assert [spec.name for spec in found.specs] == ["other-pool"]
    assert [str(one) for one in found.problems] == [
        "a.yaml:1: name: is Same-Pool, as in b.yaml:1; pool names are unique in all of Azure",
        "b.yaml:1: name: is same-pool, as in a.yaml:1; pool names are unique in all of Azure",
    ]


def test_a_spec_with_problems_does_not_take_a_name(right: dict[str, Any]) -> None:
    found = load({"a.yaml": as_file(right, mode="x"), "b.yaml": as_file(right)})
    assert [spec.path for spec in found.specs] == ["b.yaml"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "a.yaml:1: holds no spec; write one, or delete the file"),
        (b"# later\n---\n", "a.yaml:1: holds no spec; write one, or delete the file"),
        (b"just words", "a.yaml:1: is a text; a spec is a mapping that begins with apiVersion: reconciler/v1"),
        (b"\n- a\n", "a.yaml:2: is a list; a spec is a mapping that begins with apiVersion: reconciler/v1"),
        (b"4", "a.yaml:1: is a number; a spec is a mapping that begins with apiVersion: reconciler/v1"),
        (b"\x00", "a.yaml:1: holds the invisible character U+0000; remove it"),
    ],
)
def test_a_file_that_is_no_spec_is_one_line(text: bytes, said: str) -> None:
    assert [str(one) for one in load({"a.yaml": text}).problems] == [said]


def test_problems_of_the_reading_and_of_the_fields_are_told_together() -> None:
    found = load({"a.yaml": b"name: x\nname: y\nmode: !x enforce\ncolour: 1\n"})
    lines = [str(one) for one in found.problems]
    assert "a.yaml:2: name: is written twice, first in line 1; keep one" in lines
    assert any("mode: has the tag !x" in line for line in lines)
    assert any("colour: is not a field" in line for line in lines)
    assert any("subscription: is missing" in line for line in lines)


def test_more_problems_than_anybody_reads_are_counted() -> None:
    found = load({"a.yaml": b"\n".join(b"unknown%d: 1" % number for number in range(300))})
    assert len(found.problems) == MOST_PROBLEMS + 1
    assert any("more problems; fix these first" in one.message for one in found.problems)


def test_problems_know_their_column() -> None:
    found = load({"a.yaml": b"pool: {location: ''}"})
    assert next(one.column for one in found.problems if one.where == "pool.location") == 8


def test_a_secret_in_a_file_is_never_repeated(right: dict[str, Any]) -> None:
    secret = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst"
    places = [
        as_file(right, name=secret),
        as_file(right, mode=secret),
        as_file(right, subscription=secret),
        as_file(right, **{secret: secret}),
        as_file(right, pool={"properties": {secret: secret}}),
        as_file(right, pool={"location": f"[{secret}]"}),
        as_file(right, access={"roles": [{"organization": secret + "!", "administrators": [secret]}]}),
        as_file(right, access={"roles": [{"organization": "a", "administrators": secret}]}),
        f"a: *{secret}".encode(),
        f"a: !{secret} b".encode(),
        f"a: {secret}: b".encode(),
    ]
    for data in places:
        found = load({"a.yaml": data})
        assert found.problems
        assert secret not in repr(found.problems)
        assert secret not in "".join(map(str, found.problems))


HOSTILE: dict[str, bytes] = {
    "unknown fields": b"".join(b"%dopenAcces%d: 1\n" % (number, number) for number in range(4_900)),
    "wrong entries": b"pool: {properties: {organizationProfile: {kind: AzureDevOps, organizations: ["
    + b"1, " * 9_000
    + b"]}}}",
    "strangers": b"pool: {properties: {organizationProfile: {kind: AzureDevOps, organizations: [{url: 'https://dev.azure.com/a', projects: ["
    + b",".join(b"fabrikam-project-%d" % number for number in range(4_000))
    + b"]}]}}}\naccess: {openAccess: ["
    + b",".join(b"{project: a/fabrikam-projekt-%d, allow: true}" % number for number in range(1_000))
    + b"]}",
    "long names": b"fabrikam" * 30_000 + b": 1",
    "deep aliases": b"a: &a {b: {c: {d: {e: 1}}}}\n" + b"".join(b"k%d: *a\n" % number for number in range(900)),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_file_that_is_made_to_be_slow_is_refused_soon_and_in_few_words(data: bytes) -> None:
    """Comparing names takes long, and lists within lists can multiply: both are bounded."""
    found = load({"a.yaml": data})
    assert 0 < len(found.problems) <= MOST_PROBLEMS + 1
    assert all(len(str(one)) < 1_500 for one in found.problems)


@pytest.mark.timeout(30)
def test_many_files_of_one_name_are_told_in_few_words(right: dict[str, Any]) -> None:
    found = load({f"{number}.json": as_file(right) for number in range(1_000)})
    assert len(found.problems) == 1_000
    assert all(len(str(one)) < 200 for one in found.problems)


def test_an_organization_cannot_be_named_by_letters_that_only_look_right(says: Any) -> None:
    """Kelvin's sign is a K in lower case: a URL with it would be another organization in ARM than in our eyes."""
    (problem,) = says(
        ("pool.properties.organizationProfile.organizations.1.url", "https://dev.azure.com/fabri\u212aam-prime")
    )
    assert "organizations[1].url: is " in problem


def test_an_entry_named_like_its_own_map_is_a_problem_like_any_other(right: dict[str, Any]) -> None:
    identity = {"type": "UserAssigned", "userAssignedIdentities": {"userAssignedIdentities": [[59], "x"]}}
    found = load({"a.yaml": as_file(right, pool={**right["pool"], "identity": identity})})

    assert found.specs == ()
    assert {one.where for one in found.problems} == {"pool.identity.userAssignedIdentities.userAssignedIdentities"}


@pytest.fixture
def collections() -> Iterator[list[str]]:
    """Runs of the collector of cycles."""
    seen: list[str] = []

    def note(phase: str, _info: dict[str, int]) -> None:
        seen.append(phase)

    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_does_not_walk_over_specs_that_stay(
    right: dict[str, Any], collections: list[str], *, enabled: bool
) -> None:
    """It is as it was afterwards, also where a file's content is none."""
    files = {
        f"{number:03d}.json": json.dumps({**right, "name": f"pool-{number:03d}"}).encode() for number in range(100)
    }
    broken: dict[str, Any] = {**files, "100.json": None}
    before = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        collections.clear()
        assert len(load(files).specs) == 100
        during = collections.count("start")
        after = gc.isenabled()
        with pytest.raises(TypeError):
            load(broken)
        assert (after, gc.isenabled()) == (enabled, enabled)
        assert during <= 1, "the one that is due once it is on again"
    finally:
        (gc.enable if before else gc.disable)()


def test_garbage_between_loads_stays_young(right: dict[str, Any]) -> None:
    """A worker loads for every message: what each message leaves behind is collected soon, and not kept as old."""
    files = {"pool.json": json.dumps(right).encode()}

    class Left:
        me: Left

    load(files)
    left = Left()
    left.me = left
    known = ref(left)
    del left
    load(files)
    gc.collect(1)
    assert known() is None
