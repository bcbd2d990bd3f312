"""What holds for every file, whatever is in it."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reconciler.spec.loader import Loaded, load
from reconciler.spec.shapes import kebab_names
from reconciler.spec.source import Unreadable, documents
from tests.examples import tries

SLOW = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=tries(30, soaked=60))
"""Specs are large to make up; what is measured elsewhere is not timed here."""

NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=3, max_size=12).map(lambda name: f"p{name}9")
PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=10)
SCALARS = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | PRINTABLE
ADDRESSES = NAMES.map(lambda name: f"{name}@fabrikam.com")
PRINCIPALS = st.one_of(ADDRESSES, NAMES.map(lambda name: f"[{name}]\\{name}"), st.uuids().map(str))
SPANS = st.builds(
    "{}.{:02}:{:02}:{:02}".format, st.integers(0, 6), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59)
)
TIMES = st.builds("{:02}:{:02}:00".format, st.integers(0, 23), st.integers(0, 59))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.sampled_from(sorted(kebab_names().values())), inner, max_size=4)
    ),
    max_leaves=20,
)


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


@st.composite
def organization_profiles(draw: st.DrawFn, most: int) -> dict[str, Any]:
    names = draw(st.lists(NAMES, min_size=1, max_size=1 if most == 1 else 3, unique=True))
    organizations = [
        {
            "url": f"https://dev.azure.com/{name}",
            **draw(optional(projects=st.lists(NAMES, max_size=3, unique=True), openAccess=st.booleans(), alias=NAMES)),
        }
        for name in names
    ]
    if len(names) <= most and draw(st.booleans()):
        for one in organizations:
            one["parallelism"] = 1
        organizations[0]["parallelism"] = most - len(names) + 1
    profile = draw(
        st.sampled_from([{"kind": "CreatorOnly"}, {"kind": "Inherit"}])
        | st.lists(ADDRESSES, min_size=1, max_size=3, unique=True).map(
            lambda users: {"kind": "SpecificAccounts", "users": users}
        )
    )
    return {
        "kind": "AzureDevOps",
        "organizations": organizations,
        "permissionProfile": profile,
        **draw(optional(alias=NAMES, updateDescription=st.booleans())),
    }


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    most = draw(st.integers(1, 10_000))
    agent = draw(
        st.just({"kind": "Stateless"})
        | optional(maxAgentLifetime=SPANS, gracePeriodTimeSpan=SPANS).map(lambda one: {"kind": "Stateful", **one})
    )
    if draw(st.booleans()):
        day = st.dictionaries(TIMES, st.integers(0, most), max_size=2)
        days = draw(st.lists(day, min_size=1, max_size=1) | st.lists(day, min_size=7, max_size=7))
        agent |= {
            "resourcePredictionsProfile": {"kind": "Manual"},
            "resourcePredictions": {"timeZone": "UTC", "daysData": days},
        }
    image = st.builds(
        lambda name, more: {"wellKnownImageName": name, **more},
        NAMES,
        optional(buffer=st.integers(0, 100).map(str), aliases=st.lists(NAMES)),
    )
    fabric = {
        "kind": "Vmss",
        "sku": {"name": draw(NAMES)},
        "images": draw(st.lists(image, min_size=1, max_size=3, unique_by=repr)),
        **draw(
            optional(
                storageProfile=optional(
                    osDiskStorageAccountType=st.sampled_from(["Standard", "Premium", "SomethingNewer"])
                )
            )
        ),
    }
    properties = {
        "maximumConcurrency": most,
        "organizationProfile": draw(organization_profiles(most)),
        "agentProfile": agent,
        "fabricProfile": fabric,
    }
    return {"location": "eastus", "tags": draw(st.dictionaries(NAMES, NAMES, max_size=3)), "properties": properties}


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    body = draw(bodies())
    organizations = [
        one["url"].rpartition("/")[2] for one in body["properties"]["organizationProfile"]["organizations"]
    ]
    roles = [
        {
            "organization": one,
            "administrators": draw(st.lists(PRINCIPALS, min_size=1, max_size=3, unique_by=str.casefold)),
        }
        for one in organizations
    ]
    return {
        "apiVersion": "reconciler/v1",
        "kind": "ManagedDevOpsPool",
        "name": draw(NAMES),
        "subscription": str(draw(st.uuids())),
        "resourceGroup": draw(NAMES),
        "pool": body,
        "access": {"roles": roles},
    }


def az(body: dict[str, Any]) -> dict[str, Any]:
    """The same pool as the files of `az mdp pool create`."""
    properties = dict(body["properties"])
    kebab = {
        camel: name
        for name, camel in kebab_names().items()
        if name not in ("timezone", "devcenter-project-id") and "_" not in name
    }

    def renamed(value: Any, *, free: bool = False) -> Any:
        if isinstance(value, dict):
            return {
                key if free else kebab.get(key, key): renamed(one, free=key == "daysData") for key, one in value.items()
            }
        return [renamed(one, free=free) for one in value] if isinstance(value, list) else value

    def keyed(profile: dict[str, Any], *outside: str) -> dict[str, Any]:
        inner = {key: one for key, one in profile.items() if key not in ("kind", *outside)}
        return {profile["kind"]: inner, **{key: profile[key] for key in outside if key in profile}}

    agent = dict(properties["agentProfile"])
    if "resourcePredictionsProfile" in agent:
        agent["resourcePredictionsProfile"] = keyed(agent["resourcePredictionsProfile"])
    properties["agentProfile"] = keyed(agent, "resourcePredictions", "resourcePredictionsProfile")
    properties["fabricProfile"] = keyed(properties["fabricProfile"])
    properties["organizationProfile"] = keyed(properties["organizationProfile"])
    return {"location": body["location"], "tags": body["tags"], **renamed(properties)}


@SLOW
@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"\xef\xbb\xbf")
@example(b"[" * 100_000)
@example(b"a: &a [*a]")
def test_no_bytes_make_the_loader_fail(data: bytes) -> None:
    found = load({"a.yaml": data})
    assert found.problems
    assert all(str(one).isprintable() for one in found.problems)
    for parser in (yaml.SafeLoader, yaml.CSafeLoader):
        with contextlib.suppress(Unreadable):
            documents(data, parser)


@SLOW
@given(JSON)
def test_no_value_makes_the_checks_fail(value: Any) -> None:
    found = load({"a.json": json.dumps(value).encode()})
    assert found.problems
    assert found.specs == ()


@SLOW
@given(specs(), st.data())
def test_no_value_in_the_place_of_another_makes_the_checks_fail(spec: dict[str, Any], data: st.DataObject) -> None:
    place: Any = spec
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not place[key] or not isinstance(place[key], dict | list) or data.draw(st.integers(0, 3)) == 0:
            break
        place = place[key]
    place[key] = data.draw(JSON)
    found = load({"a.json": json.dumps(spec).encode()})
    assert bool(found.specs) != bool(found.problems)


@SLOW
@given(specs())
def test_a_right_body_is_kept_as_it_is(spec: dict[str, Any]) -> None:
    found = load({"a.json": json.dumps(spec).encode(), "b.yaml": b"# nothing"})
    assert [one.path for one in found.problems] == ["b.yaml"]
    assert found.specs[0].body == spec["pool"]


def said(found: Loaded) -> tuple[Any, ...]:
    """What was found, without the places of warnings: they are those of each file."""
    return found.specs, found.problems, [one.message for one in found.warnings]


@SLOW
@given(specs())
def test_yaml_and_json_say_the_same(spec: dict[str, Any]) -> None:
    text = yaml.safe_dump(spec, sort_keys=False, allow_unicode=True)
    assert said(load({"a.yaml": text.encode()})) == said(load({"a.yaml": json.dumps(spec).encode()}))


@SLOW
@given(specs())
def test_the_files_of_az_say_the_same(spec: dict[str, Any]) -> None:
    found = load({"a.json": json.dumps({**spec, "pool": az(spec["pool"])}).encode()})
    assert said(found) == said(load({"a.json": json.dumps(spec).encode()}))


@settings(SLOW, max_examples=tries(10, soaked=20))
@given(st.lists(specs(), max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_files_means_nothing(given_specs: list[dict[str, Any]], random: Any) -> None:
    files = [(f"{index}.json", json.dumps(spec).encode()) for index, spec in enumerate(given_specs)] + [
        ("bad.yaml", b"[")
    ]
    shuffled = list(files)
    random.shuffle(shuffled)
    assert load(dict(files)) == load(dict(shuffled))


@settings(SLOW, max_examples=tries(20, soaked=40))
@given(st.dictionaries(PRINTABLE, SCALARS | st.lists(SCALARS, max_size=3), min_size=1, max_size=4))
def test_what_json_writes_is_read_back(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False).encode()
    for parser in (yaml.SafeLoader, yaml.CSafeLoader):
        (document,) = documents(text, parser)
        assert document.findings == []
        assert json.dumps(document.value) == json.dumps(value)
