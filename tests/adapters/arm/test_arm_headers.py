"""A write that ARM accepted is one, whatever its headers and body look like to the package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.adapters.arm.pools import FIRST_LOOK, ArmWrites
from reconciler.errors import Unavailable
from reconciler.ports.azure import Pending
from tests.adapters.arm.arm_kit import POOL_ID, SUB, Kit, pool
from tests.adapters.loopback import Answer, Script, serving

STATUS = (
    f"/subscriptions/{SUB}/providers/Microsoft.DevOpsInfrastructure/locations/eastus2/operationStatuses/1?t=6&s=x%3D"
)
NOW = "Sat, 28 Nov 2026 12:00:00 GMT"
WAITS: dict[str, float] = {
    "7": 7.0,
    "Sat, 28 Nov 2026 12:01:30 GMT": 90.0,
    "1.5": 2.0,
    "": FIRST_LOOK,
    "soon": FIRST_LOOK,
    "-5": 0.0,
    "1e999": FIRST_LOOK,
    "99999999999999999999999": 86_400.0,
    "٣": FIRST_LOOK,
}
"""The header, and the seconds that are waited: in whole ones, and the default where it says nothing."""


@pytest.fixture
def script() -> Iterator[Script]:
    with serving() as server:
        yield server


def answer(script: Script, status: int, body: Any, **headers: str) -> Answer:
    return Answer(status, body, {"Azure-AsyncOperation": script.url + STATUS, **headers})


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("header", WAITS)
def test_a_write_with_any_retry_after_is_remembered(script: Script, header: str, status: int) -> None:
    raw = header.encode().decode("latin-1")
    script.say(answer(script, status, pool(), **{"Retry-After": raw, "Date": NOW}))

    pending = ArmWrites(Kit(script.url).arm).put(POOL_ID, pool())

    assert pending == Pending(script.url + STATUS, WAITS[header], "write of pool fabrikam")
    assert len(script.asked) == 1


@pytest.mark.parametrize("place", ["Azure-AsyncOperation", "Location"])
@pytest.mark.parametrize("header", WAITS)
def test_a_deletion_with_any_retry_after_is_remembered(script: Script, header: str, place: str) -> None:
    raw = header.encode().decode("latin-1")
    script.say(Answer(202, b"", {place: script.url + STATUS, "Retry-After": raw, "Date": NOW}))

    pending = ArmWrites(Kit(script.url).arm).delete(POOL_ID)

    assert pending == Pending(script.url + STATUS, WAITS[header], "deletion of pool fabrikam")


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"null", b'{"half": ', b"\xff\xfe", b"[" * 100_000],
    ids=["empty", "html", "list", "null", "half", "bytes", "deep"],
)
@pytest.mark.parametrize("status", [200, 201, 202, 206])
def test_a_write_whose_headers_name_its_operation_needs_no_body(script: Script, body: bytes, status: int) -> None:
    script.say(answer(script, status, body))

    pending = ArmWrites(Kit(script.url).arm).put(POOL_ID, pool())

    assert pending == Pending(script.url + STATUS, FIRST_LOOK, "write of pool fabrikam")


@pytest.mark.parametrize("odd", [None, 7, "x", [None], {"kind": 7}, {"kind": None}, {"kind": "FromTheFuture"}])
@pytest.mark.parametrize("name", ["properties", "identity", "tags", "systemData", "location"])
def test_a_body_that_no_model_foresees_is_one_too(script: Script, name: str, odd: Any) -> None:
    script.say(answer(script, 201, {**pool(), name: odd}))

    assert ArmWrites(Kit(script.url).arm).put(POOL_ID, pool()) is not None


@pytest.mark.parametrize("url", ["https://elsewhere.example/x", "", "nonsense"])
def test_without_a_body_and_without_an_operation_of_ours_nothing_is_known(script: Script, url: str) -> None:
    script.say(Answer(201, b"<html>", {"Azure-AsyncOperation": url}))

    with pytest.raises(Unavailable, match="a body that is no JSON object"):
        ArmWrites(Kit(script.url).arm).put(POOL_ID, pool())


@pytest.mark.parametrize("header", WAITS)
def test_a_read_does_not_mind_the_header_either(script: Script, header: str) -> None:
    script.say(Answer(200, pool(), {"Retry-After": header.encode().decode("latin-1"), "Date": NOW}))

    assert Kit(script.url).arm.pool(POOL_ID) == pool()
