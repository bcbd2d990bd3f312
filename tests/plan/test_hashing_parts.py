"""What an approval binds, value by value: which case and which order mean something, in a body, in lines, in names."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from reconciler.documents import Json
from reconciler.plan.hashing import line_of_change
from reconciler.plan.model import Change, Detail, Risk
from reconciler.plan.targets import CreatePool, ReplacePool, UpdatePool
from tests.plan.test_hashing import ID, OPENED


def digest(change: Change) -> str:
    return line_of_change(change.to_json())


def of_line(path: str, after: Json) -> str:
    return digest(Change("pool", "pool", "p", None, None, UpdatePool(ID, {}), (Detail(path, None, after),)))


def of_body(body: dict[str, Any]) -> str:
    return digest(Change("pool", "pool", "p", None, None, CreatePool(ID, body)))


@pytest.mark.parametrize(
    ("path", "same"),
    [
        ("networkProfile.subnetId", True),
        ("networkProfile.subnetIds[0]", True),
        ("fabricProfile.sku[a.b].zoneIds[0]", True),
        ("organizationProfile.organizations[fabrikam].newNames", False),
        ("fabricProfile.osProfile.logonType", True),
        ("fabricProfile.osProfile.workFolder", False),
        ("fabricProfile.grid", False),
    ],
)
def test_the_end_of_a_path_says_whether_case_means_something(path: str, same: bool) -> None:
    assert (of_line(path, "Value") == of_line(path, "value")) is same
    assert of_line(path, "Value") != of_line(path, "other")


@pytest.mark.parametrize("path", ["organizationProfile.organizations[x].projects", "projects", "images[a].aliases"])
def test_the_end_of_a_path_says_whether_order_means_something(path: str) -> None:
    assert of_line(path, ["a", "b"]) == of_line(path, ["b", "a"])
    assert of_line(f"{path}More", ["a", "b"]) != of_line(f"{path}More", ["b", "a"])


def test_a_resource_id_has_no_case_wherever_it_stands() -> None:
    assert of_body({"properties": {"anything": ID}}) == of_body({"properties": {"anything": ID.upper()}})
    assert of_body({"properties": {"anything": f"x{ID}"}}) != of_body({"properties": {"anything": f"x{ID.upper()}"}})
    assert of_body({"properties": {"zoneIds": ["A"]}}) == of_body({"properties": {"zoneIds": ["a"]}})


def test_the_order_of_lines_means_nothing_and_values_may_be_of_any_type() -> None:
    lines = (Detail("a.b", None, 1), Detail("a.b", "x", 1), Detail("a.b", 2, {"c": 1}))
    change = Change("pool", "pool", "p", None, None, UpdatePool(ID, {}), lines)

    assert digest(change) == digest(replace(change, details=lines[::-1]))
    assert digest(change) != digest(replace(change, details=lines[:2]))
    assert digest(change) != digest(replace(change, details=(*lines[:2], replace(lines[2], risk=Risk.WIDENS))))


def test_short_texts_count_where_there_are_no_lines() -> None:
    before, after = replace(OPENED, before="x"), replace(OPENED, after="x")
    assert len({digest(OPENED), digest(before), digest(after)}) == 3
    assert digest(before) == digest(replace(OPENED, before="X"))

    lines = replace(OPENED, details=(Detail("a", 1, 2),))
    assert digest(lines) == digest(replace(lines, before="x", after="y"))


def test_lists_of_names_have_neither_order_nor_case() -> None:
    def of(value: Json) -> str:
        return digest(replace(OPENED, before=value))

    assert of(["A", "b"]) == of(["B", "a"]) != of(["a", "c"])
    assert of([None, "A", 1]) == of([1, "a", None])
    assert of({"x": "A"}) == of({"x": "a"}) != of({"x": "b"})


def test_what_is_restored_after_a_replacement_is_bound() -> None:
    def of(*restores: dict[str, Any]) -> str:
        return digest(Change("pool", "pool", "p", "a", "b", ReplacePool(ID, {}, ("location",), restores)))

    one, two = {"kind": "Approval", "queue": "Web"}, {"kind": "BusinessHours", "queue": "App"}
    assert of(one, two) == of(two, one) == of({**one, "queue": "WEB"}, two)
    assert len({of(), of(one), of(two), of(one, two)}) == 4


def test_a_line_tells_what_it_brings_and_gives() -> None:
    plain = {"path": "a", "before": 1, "after": 2, "risk": "neutral", "note": "n"}
    lines = [
        Detail("a", 1, 2, note="n", code=code, grants=grants) for grants in (False, True) for code in (False, True)
    ]

    assert replace(OPENED, details=tuple(lines)).to_json()["details"] == [
        plain,
        {**plain, "code": True},
        {**plain, "grants": True},
        {**plain, "code": True, "grants": True},
    ]


def test_any_text_and_any_day_has_a_digest() -> None:
    assert digest(replace(OPENED, before="\ud800")) != digest(replace(OPENED, before="\ud801"))
    day = line_of_change({**OPENED.to_json(), "before": date(2026, 1, 1)})
    assert day != line_of_change({**OPENED.to_json(), "before": date(2026, 1, 2)})
