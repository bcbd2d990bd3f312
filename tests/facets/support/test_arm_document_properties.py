"""Two random documents of a pool: a merge leaves no difference, keeps what is not named, and changes nothing twice."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.facets.support.arm_document import differences, merged
from reconciler.spec.names import organization_key

PRIME = "https://dev.azure.com/fabrikam-prime"
TAILSPIN = "https://dev.azure.com/fabrikam-tailspin"


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


names = st.lists(st.sampled_from(["Web", "web", "App", "Old"]), max_size=3, unique_by=str.casefold)
organizations = st.lists(
    st.fixed_dictionaries(
        {"url": st.sampled_from([PRIME, TAILSPIN, "https://Fabrikam-Prime.visualstudio.com/"])},
        optional={
            "projects": names,
            "parallelism": st.integers(0, 3),
            "openAccess": st.booleans(),
            "alias": st.sampled_from(["a", "b"]),
        },
    ),
    max_size=2,
    unique_by=lambda item: organization_key(str(item["url"])),
)
image = st.fixed_dictionaries(
    {"wellKnownImageName": st.sampled_from(["ubuntu", "Ubuntu", "windows"])},
    optional={"buffer": st.sampled_from(["*", "50"]), "aliases": names, "unknown": st.integers()},
)
disk = some(
    diskSizeGiB=st.integers(1, 3),
    caching=st.sampled_from(["None", "ReadWrite"]),
    driveLetter=st.sampled_from(["F", "f", "G"]),
)
day = st.dictionaries(st.sampled_from(["08:00:00", "20:00:00"]), st.integers(0, 1), max_size=2)
days = st.lists(day, max_size=2) | st.lists(day, min_size=7, max_size=7) | day.map(lambda one: [one] * 7)
predictions = some(timeZone=st.sampled_from(["UTC", "W. Europe Standard Time"]), daysData=days) | some(
    TimeZone=st.sampled_from(["UTC", "W. Europe Standard Time"]), DaysData=days
)
kinds_of_predictions = st.sampled_from([{"kind": "Manual"}, {"kind": "Automatic"}, {"kind": "Automatic", "x": 1}])
agents = st.one_of(
    some(resourcePredictions=predictions, resourcePredictionsProfile=kinds_of_predictions).map(
        lambda fields: {"kind": "Stateless", **fields}
    ),
    some(maxAgentLifetime=st.sampled_from(["7.00:00:00", "1.00:00:00"])).map(
        lambda fields: {"kind": "Stateful", **fields}
    ),
)
identities = st.one_of(
    st.just({"type": "SystemAssigned"}),
    st.dictionaries(st.sampled_from(["/a", "/b"]), st.just({}), min_size=1).map(
        lambda ids: {"type": "UserAssigned", "userAssignedIdentities": ids}
    ),
)
documents = some(
    tags=st.dictionaries(st.sampled_from(["env", "team"]), st.sampled_from(["x", "X"])),
    identity=identities,
    properties=some(
        maximumConcurrency=st.integers(1, 4),
        agentProfile=agents,
        organizationProfile=some(organizations=organizations, permissionProfile=st.just({"kind": "Inherit"})),
        fabricProfile=some(
            images=st.lists(image, max_size=2),
            sku=some(vmSizes=st.lists(some(name=st.sampled_from("ab"), x=st.integers(0, 1)), max_size=2)),
            storageProfile=some(dataDisks=st.lists(disk, max_size=3)),
            networkProfile=some(subnetId=st.sampled_from(["/s", "/S", "/t"])),
        ),
    ),
)


@given(documents, documents)
def test_a_merge_leaves_no_difference(wanted: dict[str, Any], observed: dict[str, Any]) -> None:
    assert differences(wanted, merged(wanted, observed)) == []


@given(documents, documents)
def test_a_second_merge_changes_nothing(wanted: dict[str, Any], observed: dict[str, Any]) -> None:
    once = merged(wanted, observed)

    assert merged(wanted, once) == once


@given(documents, st.integers(1, 9))
def test_a_field_that_is_not_named_survives_beside_one_that_is(observed: dict[str, Any], size: int) -> None:
    """In each disk, and beside everything else."""
    found = (
        deepcopy(observed).get("properties", {}).get("fabricProfile", {}).get("storageProfile", {}).get("dataDisks", [])
    )
    part = {"storageProfile": {"dataDisks": [{"diskSizeGiB": size} for _ in found]}}
    wanted = {"properties": {"fabricProfile": part}}

    expected = deepcopy(observed)
    for disk in expected.get("properties", {}).get("fabricProfile", {}).get("storageProfile", {}).get("dataDisks", []):
        disk["diskSizeGiB"] = size

    assert merged(wanted, observed) == expected if found else differences(wanted, observed) == []


@given(documents)
def test_a_document_does_not_differ_from_itself(document: dict[str, Any]) -> None:
    assert differences(document, document) == []
    assert merged(document, document) == document


@given(documents, documents)
def test_without_a_difference_the_merge_is_what_was_read(wanted: dict[str, Any], observed: dict[str, Any]) -> None:
    """Otherwise a plan without lines would write something."""
    if not differences(wanted, observed):
        kept = {key: value for key, value in merged(wanted, observed).items() if key in observed}

        assert kept == observed


@given(documents, documents)
def test_a_merge_never_takes_create_only_fields_from_the_spec(wanted: dict[str, Any], observed: dict[str, Any]) -> None:
    profile = merged(wanted, observed).get("properties", {}).get("organizationProfile", {})
    before = observed.get("properties", {}).get("organizationProfile", {})

    assert profile.get("permissionProfile") == before.get("permissionProfile")
    opened = {organization_key(one["url"]): one.get("openAccess") for one in before.get("organizations", ())}
    assert all(
        one.get("openAccess") == opened.get(organization_key(one["url"])) for one in profile.get("organizations", ())
    )


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a document, from the top."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


@given(documents, documents, st.sampled_from([None, "x", 3, True, [], {}, [1], ["a", {}], {"a": 1}]), st.data())
def test_a_live_document_of_another_shape_is_no_crash(
    wanted: dict[str, Any], observed: dict[str, Any], strange: Any, data: st.DataObject
) -> None:
    """A newer version of the service may return anything anywhere; what the spec names is put in its place."""
    found = deepcopy(observed)
    inside = [place for place in places(found) if place]
    assume(inside)
    *parents, last = data.draw(st.sampled_from(inside))
    holder: Any = found
    for step in parents:
        holder = holder[step]
    holder[last] = strange

    assert differences(wanted, merged(wanted, found)) == []


def _cased(name: str, upper: list[bool]) -> str:
    return "".join(letter.upper() if up else letter.lower() for letter, up in zip(name, upper, strict=False))


_FLAGS = st.lists(st.booleans(), min_size=20, max_size=20)


@given(predictions, _FLAGS, st.sampled_from(["UTC", "Eastern Standard Time"]))
def test_names_in_an_untyped_object_have_no_case_and_keep_the_spelling_that_is_there(
    schedule: dict[str, Any], upper: list[bool], zone: str
) -> None:
    """By any writer, in any spelling: no difference, and never a field in two spellings."""
    there = {_cased(name, upper): value for name, value in schedule.items()}
    wanted = {"agentProfile": {"kind": "Stateless", "resourcePredictions": schedule}}
    observed = {"agentProfile": {"kind": "Stateless", "resourcePredictions": there}}
    assume(schedule)

    assert differences(wanted, observed) == []
    name = next((one for one in schedule if one.casefold() == "timezone"), "timeZone")
    changed = {"agentProfile": {"resourcePredictions": {**schedule, name: zone}}}
    found = merged(changed, observed)["agentProfile"]["resourcePredictions"]
    assert there.keys() <= found.keys()
    assert len({key.casefold() for key in found}) == len(found)
    assert differences(changed, {"agentProfile": {"kind": "Stateless", "resourcePredictions": found}}) == []
