"""Published examples against the emulator, and its answers against the published documents.

With RECONCILER_OPENAPI set, `wire` checks every ARM answer of every test at the newest api-version; here the examples
become requests. Without it the same tests run, and there are no examples to go through.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import requests

from tests import openapi
from tests.emulator.wire import GROUP_PATH, POOLS, PROVIDER, SUBSCRIPTION, Wire, body


def examples() -> list[Path]:
    """Examples of ARM operations that have a body."""
    return [path for _, document in openapi.documents() for path in sorted(document.parent.glob("examples/*.json"))]


def test_the_published_examples_are_taken(wire: Wire) -> None:
    for path in examples():
        wire.do.reset()
        raw = json.loads(path.read_text(encoding="utf-8-sig"))
        answer = _call(wire, raw["title"], raw["parameters"])
        assert str(answer.status_code) in raw["responses"], f"{path.stem}: {answer.text}"
    assert len(examples()) == (4 if openapi.folder() else 0)


def _call(wire: Wire, title: str, given: dict[str, Any]) -> requests.Response:
    version, check = given["api-version"], f"/subscriptions/{SUBSCRIPTION}{PROVIDER}/checkNameAvailability"
    if title == "Pools_CreateOrUpdate":
        return wire.put("pool", given["resource"], version=version)
    if title == "Pools_Update":
        return wire.arm("PATCH", f"{POOLS}/old-pool", {"properties": given.get("properties", {})}, version=version)
    if title == "Pools_CheckNameAvailability":
        return wire.arm("POST", check, given["body"], version=version)
    return wire.arm("GET", f"{POOLS}/old-pool/resources", version=version)


def test_the_answers_of_one_life_of_a_pool_fit_the_document(wire: Wire) -> None:
    """Each call checks its own answer; this walks through all operations once."""
    answer = wire.put("p-new", body())
    assert wire.operation(answer)["status"] == "Provisioning"
    wire.do.settle()
    where = f"/subscriptions/{SUBSCRIPTION}{PROVIDER}/locations/eastus"
    paths = (
        f"{PROVIDER}/operations",
        f"{where}/skus",
        f"{where}/usages",
        POOLS,
        f"{POOLS}/p-new",
        f"{POOLS}/p-new/resources",
        f"{GROUP_PATH}{PROVIDER}/images/ubuntu-22.04/versions",
    )
    assert [wire.arm("GET", path).status_code for path in paths] == [200] * 7
    assert wire.arm("DELETE", f"{POOLS}/p-new").status_code == 202
    wire.do.settle()
    assert wire.arm("DELETE", f"{POOLS}/p-new").status_code == 204
    assert wire.arm("GET", f"{POOLS}/p-new").status_code == 404


def test_the_validator_finds_what_does_not_fit() -> None:
    """A check that never complains proves nothing; without the documents it has nothing to complain of."""
    wrong = body(maximumConcurrency=0, colour="red")
    wrong["properties"]["fabricProfile"]["wheels"] = 4
    del wrong["properties"]["agentProfile"]
    found = openapi.validate_request("arm", "PUT", f"{POOLS}/p", {"api-version": "2026-06-02", "x": "y"}, wrong)
    reported = {line.split(":")[0] for line in found}
    places = ("maximumConcurrency", "colour", "fabricProfile.wheels", "agentProfile")
    whole = {f"body.properties.{place}" for place in places} | {"query.x"}
    assert reported == (whole if openapi.folder() else set())
    good = openapi.validate_request("arm", "PUT", f"{POOLS}/p", {"api-version": "2026-06-02"}, body())
    assert good == []
