"""Nothing is dropped in silence: every key of a document is in the spec, named, or refused, in every form."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import SpecInvalid
from reconciler.spec.findings import homes
from reconciler.tools.convert import ConvertOptions, drafts, pieces
from reconciler.tools.spec_writer import Draft
from tests.examples import tries
from tests.tools.convert.samples import (
    ACCOUNTS,
    IDENTITY,
    MACHINES,
    SUBSCRIPTION,
    TWO,
    bicep,
    converted,
    left_out,
    profile,
    resource,
    template,
)

Json = Any
PROPERTIES: Json = {
    "maximumConcurrency": 4,
    "organizationProfile": profile(TWO, ACCOUNTS),
    "agentProfile": {"kind": "Stateful", "maxAgentLifetime": "1.00:00:00"},
    "fabricProfile": {
        **MACHINES,
        "kind": "Vmss",
        "osProfile": {"logonType": "Service"},
        "storageProfile": {"osDiskStorageAccountType": "Standard"},
    },
    "runtimeConfiguration": {"workFolder": "/mnt/work"},
}
REST: Json = {
    "tags": {"team": "build"},
    "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}},
}
Insertion = tuple[tuple[str | int, ...], str, Json]
"""Where in the pool, which key, with which value."""

PLACES: list[tuple[str | int, ...]] = [
    (),
    ("tags",),
    ("identity",),
    ("identity", "userAssignedIdentities"),
    ("properties",),
    ("properties", "organizationProfile"),
    ("properties", "organizationProfile", "organizations", 1),
    ("properties", "organizationProfile", "permissionProfile"),
    ("properties", "agentProfile"),
    ("properties", "fabricProfile"),
    ("properties", "fabricProfile", "sku"),
    ("properties", "fabricProfile", "images", 0),
    ("properties", "fabricProfile", "osProfile"),
    ("properties", "fabricProfile", "storageProfile"),
    ("properties", "runtimeConfiguration"),
]
WORDS = st.text("abcdefghij", min_size=4, max_size=8).map("q".__add__)
ENVELOPE = ["copy", "dependsOn", "etag", "resources", "scope", "systemData"]
KEYS = WORDS | st.sampled_from([*sorted(homes()), *ENVELOPE]) | WORDS.map(lambda word: f"{word}-{word}")
VALUES = st.recursive(
    st.booleans() | st.integers(0, 99) | WORDS | st.sampled_from(["[utcNow()]", "a\nb", ""]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)
INSERTIONS = st.lists(st.tuples(st.sampled_from(PLACES), KEYS, VALUES), min_size=1, max_size=4)


def _pool(insertions: list[Insertion]) -> tuple[Json, list[Insertion]]:
    """A pool with keys put in, and those of them that it did not have."""
    pool = {"location": "eastus", **copy.deepcopy(REST), "properties": copy.deepcopy(PROPERTIES)}
    done = []
    for path, key, value in insertions:
        place = pool
        for step in path:
            place = place[step]
        if key not in place and (path or key not in ("type", "name")):
            place[key] = copy.deepcopy(value)
            done.append((path, key, value))
    return pool, done


def _template(pool: Json) -> dict[str, str]:
    body = {key: item for key, item in pool.items() if key != "properties"}
    return {"a.json": template(pool["properties"], **body)}


def _bicep(pool: Json) -> dict[str, str]:
    body = {key: item for key, item in pool.items() if key != "properties"}
    return {"a.bicep": resource(pool["properties"], **body).replace("'[utcNow()]'", "utcNow()")}


def _bicep_part(pool: Json) -> dict[str, str]:
    return {
        "a.bicep": "\n".join(
            f"{json.dumps(key).replace(chr(34), chr(39))}: {bicep(item)}" for key, item in pool.items()
        )
    }


def _nested(pool: Json) -> dict[str, str]:
    return {"a.json": json.dumps({"type": "microsoft.devopsinfrastructure/pools", "name": "fabrikam-az", **pool})}


def _flat(pool: Json) -> dict[str, str]:
    """As `az mdp pool show` prints it."""
    rest = {key: item for key, item in pool.items() if key != "properties"}
    both = pool["properties"].keys() & rest.keys()
    inside = {key: item for key, item in pool["properties"].items() if key not in both}
    flat = {"type": "Microsoft.DevOpsInfrastructure/pools", "name": "fabrikam-az", **rest, **inside}
    return {
        "a.json": json.dumps(
            {**flat, **({"properties": {key: pool["properties"][key] for key in both}} if both else {})}
        )
    }


def _printed_list(pool: Json) -> dict[str, str]:
    return {"a.json": json.dumps([json.loads(_flat(pool)["a.json"])])}


def _profiles(pool: Json) -> dict[str, str]:
    """As `az mdp pool create` takes them: a file each, with kinds as keys."""
    properties = copy.deepcopy(pool["properties"])
    files = {"rest.json": {key: item for key, item in pool.items() if key != "properties"} | properties}
    for name, kind in (
        ("organizationProfile", "azure-dev-ops"),
        ("fabricProfile", "vmss"),
        ("agentProfile", "stateful"),
    ):
        held = files["rest.json"].pop(name)
        held.pop("kind")
        files[f"{kind}.json"] = {kind: held}
    return {name: json.dumps(document) for name, document in files.items()}


FORMS = [_template, _bicep, _bicep_part, _nested, _flat, _printed_list, _profiles]


@pytest.mark.parametrize("form", FORMS, ids=[one.__name__.strip("_") for one in FORMS])
def test_a_pool_without_surprises_is_converted_whole_from_every_form(form: Callable[[Json], dict[str, str]]) -> None:
    draft = converted(form(_pool([])[0]))

    assert left_out(draft) == []
    assert draft.document["pool"] == {"location": "eastus", **REST, "properties": PROPERTIES}


@pytest.mark.soaked
@pytest.mark.parametrize("form", FORMS, ids=[one.__name__.strip("_") for one in FORMS])
def test_every_key_is_taken_or_named_or_refused(form: Callable[[Json], dict[str, str]]) -> None:
    @settings(max_examples=tries(40))
    @given(INSERTIONS)
    def accounted(insertions: list[Insertion]) -> None:
        pool, inserted = _pool(insertions)
        files = {name: text.encode() for name, text in form(pool).items()}
        draft = _draft(files)
        if draft is None:
            return
        said = "\n".join([*draft.problems, *(note for _, note in draft.notes)])
        for path, key, value in inserted:
            if form is _profiles and not path and key in PROPERTIES:
                continue  # its files have one place for both, where the property stands
            place = _at(draft.document["pool"], path)
            lost = place is None and any(str(step) in said for step in path)
            assert lost or _holds(place, key, value) or key in said, (path, key, value, said)
        assert draft.left_out or not draft.problems

    accounted()


def _draft(files: dict[str, bytes]) -> Draft | None:
    """The only draft; None where the files are refused: a key is given twice, or makes a template of a pool."""
    try:
        (draft,) = drafts(pieces(files), ConvertOptions(SUBSCRIPTION, "rg-build", name="fabrikam-az"))
    except SpecInvalid as refused:
        if "given twice" not in str(refused) and "the template has no resource" not in str(refused):
            raise
        return None
    return draft


def _at(place: Json, path: tuple[str | int, ...]) -> Json:
    """What stands there; None where the place, or one around it, is gone."""
    for step in path:
        try:
            place = place[step]
        except (KeyError, IndexError):
            return None
    return place


def _holds(place: Json, key: str, value: Json) -> bool:
    return isinstance(place, dict) and key in place and place[key] in (value, [value])
