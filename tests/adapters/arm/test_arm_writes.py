"""Writing pools through ARM: what is sent, what is stripped, and how a long operation is handed on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.adapters.arm.pools import ArmWrites, writable
from reconciler.errors import Forbidden, NotReady, Refused, Rejected, Unavailable
from reconciler.ports.azure import Operation, Pending
from tests.adapters.arm.arm_kit import CANARY, POOL_ID, POOL_PATH, SUB, Kit, error, pool
from tests.adapters.loopback import CUT, SILENT, Answer, Script, serving

STATUS_PATH = (
    f"/subscriptions/{SUB}/providers/Microsoft.DevOpsInfrastructure/locations/EASTUS2/operationStatuses/"
    "0b1c2d3e-0000-1111-2222-333344445555*ABCDEF0123456789?api-version=2026-06-02&t=638&c=MII%2BgHD&s=x-_~y%3D%3D&h=9"
)


@pytest.fixture
def script() -> Iterator[Script]:
    with serving() as server:
        yield server


@pytest.fixture
def elsewhere() -> Iterator[Script]:
    """A second server, which must never see a token."""
    with serving() as server:
        yield server


def test_a_write_sends_the_whole_document_without_what_the_service_sets() -> None:
    """Everything else is sent back, also what this program does not know, at any depth and under any name."""
    sent = writable(pool())

    expected = pool()
    for name in ("id", "name", "type", "systemData"):
        del expected[name]
    expected["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {"/subscriptions/x/id1": {}}}
    del expected["properties"]["provisioningState"]
    del expected["properties"]["fabricProfile"]["images"][0]["isEphemeral"]
    del expected["properties"]["fabricProfile"]["networkProfile"]["ipAddresses"]
    assert expected == sent


def test_stripping_leaves_the_callers_document_alone() -> None:
    document = pool()
    writable(document)

    assert pool() == document


@pytest.mark.parametrize("odd", [{}, {"properties": None}, {"identity": "x", "properties": {"fabricProfile": []}}])
def test_an_odd_document_is_passed_on_for_arm_to_judge(odd: dict[str, object]) -> None:
    assert writable(odd) == odd


def test_what_was_read_can_be_written_back_and_the_wire_carries_it_unchanged(script: Script) -> None:
    """Read-modify-PUT, the way both large clients go; unknown keys must survive it whole."""
    script.say(Answer(200, pool()), Answer(200, pool()))
    kit = Kit(script.url)
    document = kit.arm.pool(POOL_ID)
    assert document is not None

    assert ArmWrites(kit.arm).put(POOL_ID, document) is None
    put = script.asked[1]
    assert (put.method, put.path, put.json) == ("PUT", POOL_PATH, writable(pool()))
    assert put.json["properties"]["fromTheFuture"] == pool()["properties"]["fromTheFuture"]
    assert put.headers["Content-Type"] == "application/json"


def test_a_started_write_hands_on_its_operation_and_waits_for_nothing(script: Script) -> None:
    """The signed query of the URL is the permission to look: not a character of it may change."""
    headers = {"Azure-AsyncOperation": script.url + STATUS_PATH, "Retry-After": "7", "Location": "https://elsewhere/x"}
    script.say(Answer(201, pool(provisioningState="Accepted"), headers))
    kit = Kit(script.url)

    pending = ArmWrites(kit.arm).put(POOL_ID, pool())
    assert pending == Pending(script.url + STATUS_PATH, 7.0, "write of pool fabrikam")
    assert len(script.asked) == 1

    script.say(Answer(200, {"status": "Succeeded", "properties": None}))
    kit.arm.operation(pending.url)
    assert script.asked[1].path == STATUS_PATH


@pytest.mark.parametrize(("header", "seconds"), [({"Retry-After": "0"}, 0.0), ({}, 15.0)])
def test_when_to_look_is_what_the_service_says_or_a_quarter_of_a_minute(
    script: Script, header: dict[str, str], seconds: float
) -> None:
    script.say(Answer(200, pool(), {"Azure-AsyncOperation": script.url + STATUS_PATH, **header}))

    pending = ArmWrites(Kit(script.url).arm).put(POOL_ID, pool())
    assert pending is not None
    assert pending.retry_after == seconds


def test_an_operation_url_elsewhere_is_not_followed_but_the_pool_itself_is_watched(script: Script) -> None:
    """The write has been carried out by then: refusing it would lose sight of it."""
    headers = {"Azure-AsyncOperation": f"https://evil.example{STATUS_PATH}"}
    script.say(Answer(201, pool(provisioningState="Accepted"), headers))
    kit = Kit(script.url)

    pending = ArmWrites(kit.arm).put(POOL_ID, pool())
    assert pending is not None
    assert pending.url == script.url + POOL_PATH

    script.say(Answer(200, pool(provisioningState="Updating")), Answer(200, pool()))
    assert kit.arm.operation(pending.url).state == "running"
    assert kit.arm.operation(pending.url).state == "succeeded"


def test_an_answer_without_an_operation_is_judged_by_its_state(script: Script) -> None:
    writes = ArmWrites(Kit(script.url).arm)
    script.say(Answer(200, pool(provisioningState="succeeded")))
    assert writes.put(POOL_ID, pool()) is None

    script.say(Answer(200, pool(provisioningState="Updating")))
    pending = writes.put(POOL_ID, pool())
    assert pending is not None
    assert (pending.url, pending.retry_after) == (script.url + POOL_PATH, 15.0)

    script.say(Answer(200, pool(provisioningState="Failed")))
    with pytest.raises(Rejected, match="provisioningState failed"):
        writes.put(POOL_ID, pool())


@pytest.mark.parametrize("fault", [SILENT, CUT])
def test_a_write_whose_answer_was_lost_is_not_sent_again(script: Script, fault: str) -> None:
    """It may have been carried out; the next run reads before it writes."""
    script.say(*[Answer(201, pool(), fault=fault)] * 3)

    with pytest.raises(Unavailable):
        ArmWrites(Kit(script.url).arm).put(POOL_ID, pool())
    assert len(script.asked) == 1


@pytest.mark.parametrize("status", [500, 503, 429, 409])
def test_a_write_that_was_refused_is_not_sent_again(script: Script, status: int) -> None:
    """Also not where the service names a wait: the holder of the pool decides when."""
    script.say(*[Answer(status, error("Busy"), {"Retry-After": "0"})] * 3)

    with pytest.raises(Exception, match=f"{status} Busy"):
        ArmWrites(Kit(script.url).arm).put(POOL_ID, pool())
    assert len(script.asked) == 1


def test_a_write_that_meets_another_one_waits_as_told(script: Script) -> None:
    script.say(Answer(409, error("AnotherOperationInProgress", "busy"), {"Retry-After": "30"}))

    with pytest.raises(NotReady) as caught:
        ArmWrites(Kit(script.url).arm).put(POOL_ID, pool())
    assert caught.value.retry_after == 30.0


def test_an_unregistered_provider_is_named_and_never_registered_by_us(script: Script) -> None:
    """The package would register it, with rights that the operator should not have, and sleep over it."""
    script.say(Answer(409, error("MissingSubscriptionRegistration", "not registered to use 'X'")))

    with pytest.raises(Rejected, match="az provider register --namespace"):
        ArmWrites(Kit(script.url).arm).put(POOL_ID, pool())
    assert [asked.method for asked in script.asked] == ["PUT"]


def test_a_refused_body_says_code_and_message_with_details(script: Script) -> None:
    details = [{"code": "A", "message": "parallelism is wrong"}, {"code": "B"}, "odd"]
    script.say(Answer(400, error("ResourceCreationValidateFailed", "The resource validation failed.", details=details)))

    with pytest.raises(Rejected) as caught:
        ArmWrites(Kit(script.url).arm).put(POOL_ID, pool())
    assert str(caught.value) == (
        "pool fabrikam: ARM answered 400 ResourceCreationValidateFailed: "
        "The resource validation failed.; parallelism is wrong; B"
    )


@pytest.mark.parametrize(
    ("body", "operation"),
    [
        ({"status": "Provisioning"}, Operation("running", retry_after=3.0)),
        ({"status": "InProgress"}, Operation("running", retry_after=3.0)),
        ({"status": "SUCCEEDED", "properties": None}, Operation("succeeded")),
        ({"status": "Canceled"}, Operation("failed", "Canceled")),
        (
            {"status": "failed", **error("PoolProvisioningFailed", "Failed to provision\nagent pool.")},
            Operation("failed", "PoolProvisioningFailed", "Failed to provision agent pool."),
        ),
    ],
)
def test_only_three_words_end_an_operation(script: Script, body: object, operation: Operation) -> None:
    """``Provisioning`` was seen between acceptance and success: any other word means that it still runs."""
    script.say(Answer(200, body, {"Retry-After": "3"}))

    assert Kit(script.url).arm.operation(script.url + STATUS_PATH) == operation


@pytest.mark.parametrize("status", [404, 410])
def test_an_expired_operation_is_gone_so_that_the_resource_is_read_instead(script: Script, status: int) -> None:
    script.say(Answer(status, error("OperationNotFound", "expired")))

    assert Kit(script.url).arm.operation(script.url + STATUS_PATH).state == "gone"


def test_an_operation_in_the_location_form_ends_with_its_status_code(script: Script) -> None:
    script.say(Answer(202, {}, {"Retry-After": "2"}), Answer(204))
    arm = Kit(script.url).arm

    assert arm.operation(script.url + STATUS_PATH) == Operation("running", retry_after=2.0)
    assert arm.operation(script.url + STATUS_PATH) == Operation("succeeded")


def test_a_deletion_hands_on_where_it_ends(script: Script) -> None:
    """202 without a body and a `location`, which goes on answering 202 without a body until it is over."""
    there = script.url + STATUS_PATH
    script.say(Answer(202, b"", {"Location": there, "Retry-After": "3"}))
    kit = Kit(script.url)

    pending = ArmWrites(kit.arm).delete(POOL_ID)
    assert pending == Pending(there, 3.0, "deletion of pool fabrikam")
    assert [(asked.method, asked.path) for asked in script.asked] == [("DELETE", POOL_PATH)]

    script.say(Answer(202, b"", {"Retry-After": "2"}), Answer(204))
    assert kit.arm.operation(pending.url) == Operation("running", retry_after=2.0)
    assert kit.arm.operation(pending.url).state == "succeeded"


@pytest.mark.parametrize("headers", [{}, {"Location": f"https://evil.example{STATUS_PATH}"}])
def test_a_deletion_without_a_place_of_ours_is_watched_at_the_pool(script: Script, headers: dict[str, str]) -> None:
    script.say(Answer(202, b"", headers), Answer(404, error("ResourceNotFound", "gone")))
    kit = Kit(script.url)

    pending = ArmWrites(kit.arm).delete(POOL_ID)

    assert pending is not None
    assert pending.url == script.url + POOL_PATH
    assert kit.arm.operation(pending.url).state == "gone"


@pytest.mark.parametrize("answer", [Answer(204), Answer(404, error("ResourceNotFound", "gone"))])
def test_what_is_gone_already_needs_no_deletion(script: Script, answer: Answer) -> None:
    script.say(answer)

    assert ArmWrites(Kit(script.url).arm).delete(POOL_ID) is None


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(403, error("AuthorizationFailed", "no")), Forbidden),
        (Answer(409, error("ScopeLocked", "a lock")), Rejected),
        (Answer(409, error("OperationInProgress", "another")), NotReady),
        (Answer(404, b""), Unavailable),
        (Answer(200, b""), Unavailable),
    ],
)
def test_a_deletion_that_is_refused_has_its_kind_and_is_not_sent_again(
    script: Script, answer: Answer, kind: type[Exception]
) -> None:
    script.say(answer)

    with pytest.raises(kind):
        ArmWrites(Kit(script.url).arm).delete(POOL_ID)
    assert len(script.asked) == 1


def test_an_operation_in_the_location_form_fails_with_its_own_words(script: Script) -> None:
    """409 there is how it ended, and no other operation that a read would have to wait for."""
    script.say(Answer(409, error("InUse", "jobs are running")))

    assert Kit(script.url).arm.operation(script.url + STATUS_PATH) == Operation("failed", "InUse", "jobs are running")


def test_a_status_that_says_nothing_is_no_success(script: Script) -> None:
    script.say(Answer(200, {"name": "x"}))

    with pytest.raises(Unavailable, match="without a status"):
        Kit(script.url).arm.operation(script.url + STATUS_PATH)


def test_an_operation_that_may_not_be_seen_is_forbidden(script: Script) -> None:
    script.say(Answer(403, error("AuthorizationFailed", "no")))

    with pytest.raises(Forbidden):
        Kit(script.url).arm.operation(script.url + STATUS_PATH)


@pytest.mark.parametrize(
    "trick", ["{other}", "http://me@{host}", "http://{host}@{other_host}", "http:\\\\{other_host}"]
)
def test_an_operation_url_that_leads_elsewhere_gets_no_request(script: Script, elsewhere: Script, trick: str) -> None:
    """It comes out of a store that others may write to."""
    host, other = script.url.removeprefix("http://"), elsewhere.url.removeprefix("http://")
    url = trick.format(other=elsewhere.url, host=host, other_host=other) + STATUS_PATH

    with pytest.raises(Refused) as caught:
        Kit(script.url).arm.operation(url)
    assert elsewhere.asked == script.asked == []
    assert "s=x" not in str(caught.value)
    assert CANARY not in str(caught.value)


def test_the_reader_has_nothing_that_writes(script: Script) -> None:
    """Plan mode is another type, not a flag."""
    arm = Kit(script.url).arm

    assert [name for name in dir(arm) if name.startswith(("put", "create", "update", "delete"))] == []
