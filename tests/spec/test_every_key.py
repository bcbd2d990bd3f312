"""Nothing is dropped in silence: every key of a spec is read, or refused with its name, wherever it stands."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.spec.loader import load
from tests.examples import tries
from tests.spec.conftest import RIGHT

Json = Any
FULL: Json = copy.deepcopy(RIGHT)
FULL["pool"]["tags"] = {"team": "build"}
FULL["pool"]["properties"]["agentProfile"] = {
    "kind": "Stateless",
    "resourcePredictionsProfile": {"kind": "Manual"},
    "resourcePredictions": {"timeZone": "UTC", "daysData": [{"08:00:00": 1}]},
}
FULL["pool"]["properties"]["fabricProfile"] |= {
    "osProfile": {"logonType": "Service"},
    "storageProfile": {"osDiskStorageAccountType": "Standard", "dataDisks": [{"diskSizeGiB": 4}]},
}
FULL["disruption"] = {"agents": "whenQuiet", "atMost": "1.00:00:00", "afterwards": "proceed"}
FULL["access"] = {
    "openAccess": [{"project": "fabrikam-prime/fabrikam-dev", "allow": False, "reason": "x"}],
    "pipelines": [{"project": "fabrikam-prime/fabrikam-dev", "pipelines": [1]}],
    "roles": [{"organization": "fabrikam-prime", "administrators": ["ann@fabrikam.com"]}],
    "queueRoles": [{"project": "fabrikam-prime/fabrikam-dev", "users": ["ann@fabrikam.com"]}],
    "withoutQueue": [{"project": "fabrikam-prime/fabrikam-test", "reason": "x"}],
    "agentPools": [{"organization": "fabrikam-tailspin", "autoProvision": True}],
}
KEYS = st.from_regex(r"[a-zA-Z][a-zA-Z0-9]{4,11}", fullmatch=True) | st.sampled_from(
    ["projects", "kind", "reason", "location", "tags", "mode", "openAccess", "resource-group", "maximum-concurrency"]
)
VALUES = st.sampled_from(["x", 7, True, ["x"], {"inner": "x"}, [{"inner": 1}], None, [], {}])
THE_AUTHORS = {("pool", "tags")}
"""Objects whose keys are the author's own."""


def places(value: Json, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every mapping of the document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([path] if isinstance(value, dict) else []), *(p for key, one in inner for p in places(one, (*path, key)))]


def test_the_document_is_right() -> None:
    loaded = load({"a.json": json.dumps(FULL).encode()})
    assert [str(one) for one in loaded.problems] == []


@settings(max_examples=tries(120, soaked=300), deadline=None)
@given(st.sampled_from([one for one in places(FULL) if one not in THE_AUTHORS]), KEYS, VALUES)
def test_every_key_is_read_or_refused(place: tuple[str | int, ...], key: str, value: Json) -> None:
    """Two documents that differ in a key give different specs, or one of them gives none and names the key."""
    document = copy.deepcopy(FULL)
    target = document
    for step in place:
        target = target[step]
    if key in target:
        return
    target[key] = value

    loaded = load({"a.json": json.dumps(document).encode()})

    if loaded.problems:
        assert any(key in str(problem) for problem in loaded.problems), [str(one) for one in loaded.problems]
        return
    without = load({"a.json": json.dumps(FULL).encode()})
    absent = value is None or value in ([], {})
    assert absent or loaded.specs != without.specs, f"{place}: {key} was dropped"
