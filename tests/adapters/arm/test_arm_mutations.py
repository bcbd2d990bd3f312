"""No answer of ARM is believed in part: each wrong place ends in an error of ours, or in facts that have their types.

The documents are samples of our own, with every property of the published document added where RECONCILER_OPENAPI
names it (`tests.openapi`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest

from reconciler.adapters.arm.inspection import ArmInspection
from reconciler.adapters.arm.pools import Arm, ArmWrites
from reconciler.adapters.boundary import ESCAPED, methods
from reconciler.errors import ReconcilerError, Rejected, Unavailable
from reconciler.ports.azure import ArmReader, Operation
from reconciler.ports.azure_resources import Assignment, AzureResourcesReader, Right
from tests.adapters.arm.arm_kit import LIST_PATH, POOL_ID, POOL_PATH, SUB, Kit, pool
from tests.adapters.loopback import Answer, Script, serving
from tests.adapters.mutations import doubled, enriched, mutations

ROLE = "4633458b-17de-408a-b874-0445c86b69e6"
RIGHT = {"actions": ["*/read"], "notActions": ["x/delete"], "dataActions": ["a/*"], "notDataActions": ["a/b"]}
ASSIGNMENT = {
    "id": f"{POOL_ID}/providers/Microsoft.Authorization/roleAssignments/1",
    "properties": {"roleDefinitionId": f"/x/{ROLE}", "scope": "/", "principalId": "p", "principalType": "Group"},
}
MACHINE = {"id": f"{POOL_ID}/resources/1", "name": "1", "properties": {"status": "Ready", "image": "x"}}
OPERATION = {"id": "/x", "name": "1", "status": "Failed", "error": {"code": "Bad", "message": "no", "details": []}}

Call = Callable[[Arm, str], Any]
READS: dict[str, tuple[str, Any, Call]] = {
    "pool": (POOL_PATH, pool(), lambda arm, _: arm.pool(POOL_ID)),
    "pools": (LIST_PATH, {"value": [pool()], "nextLink": None}, lambda arm, _: arm.pools(SUB)),
    "subscriptions": ("/x", {"value": [{"subscriptionId": SUB}]}, lambda arm, _: arm.subscriptions()),
    "machines": (f"{POOL_ID}/resources", {"value": [MACHINE]}, lambda arm, _: arm.machines(POOL_ID)),
    "operation": ("/x", OPERATION, lambda arm, url: arm.operation(f"{url}/subscriptions/{SUB}/x")),
    "resource": ("/x", pool(), lambda arm, _: ArmInspection(arm).resource(POOL_ID, "2024-01-01")),
    "vaults": ("/x", {"value": [{"id": "/v", "name": "v"}]}, lambda arm, _: ArmInspection(arm).vaults(SUB)),
    "assignments": ("/x", {"value": [ASSIGNMENT]}, lambda arm, _: ArmInspection(arm).assignments(POOL_ID, "p")),
    "role": ("/x", {"properties": {"permissions": [RIGHT]}}, lambda arm, _: ArmInspection(arm).role(POOL_ID, ROLE)),
    "rights": ("/x", {"value": [RIGHT]}, lambda arm, _: ArmInspection(arm).rights(POOL_ID)),
}
"""A path that the published document knows, a document, and the call."""


@pytest.fixture
def script() -> Iterator[Script]:
    with serving() as server:
        yield server


def _conforms(value: Any) -> bool:
    if isinstance(value, Right):
        return all(isinstance(one, str) for patterns in asdict(value).values() for one in patterns)
    if isinstance(value, Assignment):
        return all(isinstance(one, str) for one in asdict(value).values())
    if isinstance(value, Operation):
        return value.state in {"running", "succeeded", "failed"} and isinstance(value.code + value.message, str)
    return isinstance(value, dict | str)


def _judge(what: str, call: Callable[[], Any]) -> None:
    problem: ReconcilerError | None = None
    try:
        found = call()
    except ReconcilerError as raised:
        problem = raised
    if problem is None:
        assert all(map(_conforms, found if isinstance(found, list) else [found])), (what, found)
    else:
        assert isinstance(problem, Unavailable | Rejected), (what, problem)
        assert ESCAPED not in str(problem), (what, problem)


def test_every_read_is_here() -> None:
    """The tenant is read from Azure DevOps."""
    named = {*methods(ArmReader), *methods(AzureResourcesReader)}

    assert named - set(READS) == {"tenant"}


@pytest.mark.soaked
@pytest.mark.parametrize("name", READS)
def test_one_wrong_place_is_an_error_or_harmless(name: str, script: Script) -> None:
    path, sample, call = READS[name]
    whole = enriched(sample, "arm", path.partition("?")[0])
    arm = Kit(script.url).arm

    for what, document in [("as it is", whole), *mutations(whole)]:
        script.answers.clear()
        script.say(*[Answer(200, document)] * 3)
        _judge(what, lambda: call(arm, script.url))


@pytest.mark.parametrize("name", [name for name in READS if name not in {"pool", "resource", "operation"}])
def test_doubled_entries_are_one(name: str, script: Script) -> None:
    _, sample, call = READS[name]
    arm = Kit(script.url).arm
    script.say(Answer(200, sample))
    once = call(arm, script.url)

    twice = dict(doubled(sample)).get("value doubled")
    if twice is not None:
        script.say(Answer(200, twice))
        assert call(arm, script.url) == once


@pytest.mark.soaked
@pytest.mark.parametrize("status", [400, 403, 404, 409, 429])
def test_one_wrong_place_of_an_error(status: int, script: Script) -> None:
    """Its words may be lost, its meaning is not."""
    body = {"error": {"code": "Bad", "message": "no", "details": [{"code": "Deep", "message": "why"}], "target": "x"}}
    arm = Kit(script.url).arm

    for what, document in [("as it is", body), *mutations(body), *doubled(body)]:
        script.say(Answer(status, document))
        with pytest.raises(ReconcilerError) as raised:
            ArmWrites(arm).put(POOL_ID, pool())
        assert ESCAPED not in str(raised.value), what
