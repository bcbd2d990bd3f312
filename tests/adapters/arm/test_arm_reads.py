"""Reading pools from ARM: exact requests, raw bodies, and what each refusal means."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from reconciler.adapters.arm.pools import Arm
from reconciler.errors import (
    Forbidden,
    NotFound,
    NotReady,
    ReconcilerError,
    Refused,
    Rejected,
    SpecInvalid,
    Throttled,
    Unavailable,
)
from tests.adapters.arm.arm_kit import CANARY, LIST_PATH, POOL_ID, POOL_PATH, SUB, Canary, Kit, error, pool
from tests.adapters.loopback import CUT, SILENT, Answer, Script, serving


@pytest.fixture
def script() -> Iterator[Script]:
    with serving() as server:
        yield server


@pytest.fixture
def elsewhere() -> Iterator[Script]:
    """A second server, which must never see a token."""
    with serving() as server:
        yield server


def test_a_pool_comes_back_exactly_as_arm_wrote_it(script: Script) -> None:
    """The package's models would reshape dates and know nothing of newer properties."""
    script.say(Answer(200, pool()))

    assert Kit(script.url).arm.pool(POOL_ID) == pool()

    (asked,) = script.asked
    assert (asked.method, asked.path) == ("GET", POOL_PATH)
    assert asked.headers["Authorization"] == f"Bearer {CANARY}"


def test_an_id_in_the_casing_of_arms_own_answers_is_understood(script: Script) -> None:
    """ARM gives ``Pools`` and lower-case types at will."""
    script.say(Answer(200, pool()))
    Kit(script.url).arm.pool(POOL_ID.replace("/pools/", "/Pools/").replace("resourceGroups", "resourcegroups"))

    assert script.asked[0].path == POOL_PATH


def test_an_organization_project_or_image_that_comes_twice_is_one_and_two_equal_disks_are_two(script: Script) -> None:
    """An answer with an entry of a list twice was taken for drift, and the pool was written as it was."""
    once = pool()
    once["properties"]["organizationProfile"]["organizations"][0]["projects"] = ["Web", "Data"]
    once["properties"]["fabricProfile"]["storageProfile"] = {"dataDisks": [{"diskSizeGiB": 100}, {"diskSizeGiB": 100}]}
    twice = copy.deepcopy(once)
    twice["properties"]["organizationProfile"]["organizations"][0]["projects"] *= 2
    twice["properties"]["organizationProfile"]["organizations"] *= 2
    twice["properties"]["fabricProfile"]["images"] *= 2
    script.say(Answer(200, twice), Answer(200, {"value": [twice]}))
    arm = Kit(script.url).arm

    assert arm.pool(POOL_ID) == once
    assert arm.pools(SUB) == [once]


@pytest.mark.parametrize("code", ["ResourceNotFound", "NotFound"])
def test_a_missing_pool_is_none(script: Script, code: str) -> None:
    script.say(Answer(404, error(code, "The Resource was not found.")))

    assert Kit(script.url).arm.pool(POOL_ID) is None


@pytest.mark.parametrize("code", ["SubscriptionNotFound", "ResourceGroupNotFound"])
def test_a_missing_parent_is_no_missing_pool(script: Script, code: str) -> None:
    """Otherwise a typing error in the spec's resource group would look like a pool to create."""
    script.say(Answer(404, error(code, "Resource group 'rg-build' could not be found.")))

    with pytest.raises(NotFound) as caught:
        Kit(script.url).arm.pool(POOL_ID)
    assert str(caught.value) == (
        f"pool fabrikam: ARM answered 404 {code}: Resource group 'rg-build' could not be found."
    )


def test_a_404_that_is_not_arms_own_is_no_absence(script: Script) -> None:
    """A proxy's page must never make a pool look absent."""
    script.say(Answer(404, b"<html>Not here</html>", {"Content-Type": "text/html"}))

    with pytest.raises(Unavailable, match="without ARM's error body"):
        Kit(script.url).arm.pool(POOL_ID)


def test_all_pages_of_a_subscription_are_read_and_links_are_passed_on_unchanged(script: Script) -> None:
    """A page link carries its own signed state: nothing in it may be rewritten."""
    link = f"{LIST_PATH}&$skiptoken=a%2Bb%3D%3D&t=6*7"
    script.say(Answer(200, {"value": [pool()], "nextLink": script.url + link}))
    other = {**pool(), "id": f"{POOL_ID}-2"}
    script.say(Answer(200, {"value": [pool(), other], "nextLink": None}))

    assert Kit(script.url).arm.pools(SUB) == [pool(), pool(), other]
    assert [asked.path for asked in script.asked] == [LIST_PATH, link]


def test_a_page_link_to_another_host_is_refused_before_anything_is_sent(script: Script, elsewhere: Script) -> None:
    """A list that could lead the token elsewhere would be worth forging."""
    script.say(Answer(200, {"value": [], "nextLink": f"{elsewhere.url}/subscriptions"}))

    with pytest.raises(Refused, match="no other host is called"):
        Kit(script.url).arm.pools(SUB)
    assert elsewhere.asked == []


def test_a_subscription_that_is_not_there_is_named_and_no_empty_list(script: Script) -> None:
    script.say(Answer(404, error("SubscriptionNotFound", "The subscription could not be found.")))

    with pytest.raises(NotFound, match=f"^subscription {SUB}: ARM answered 404 SubscriptionNotFound"):
        Kit(script.url).arm.pools(SUB)


def test_a_list_that_never_ends_is_cut(script: Script) -> None:
    script.say(Answer(200, {"value": [], "nextLink": script.url + LIST_PATH}))

    with pytest.raises(Unavailable, match="pagination did not end after 1 pages"):
        Kit(script.url).arm.pools(SUB)


def test_a_page_that_comes_again_under_another_link_ends_the_list_too(script: Script) -> None:
    """Found by the fault matrix: a thousand requests for one list."""
    for number in range(3):
        script.say(Answer(200, {"value": [pool()], "nextLink": f"{script.url}{LIST_PATH}&$skiptoken={number}"}))

    with pytest.raises(Unavailable, match="pagination did not end after 2 pages"):
        Kit(script.url).arm.pools(SUB)
    assert len(script.asked) == 2


@pytest.mark.parametrize("body", [{"value": None}, {}, {"value": ["x"]}])
def test_a_page_without_a_list_is_no_empty_list(script: Script, body: object) -> None:
    """An answer that cannot be read is not an absence."""
    script.say(Answer(200, body))

    with pytest.raises(Unavailable, match="a page of ARM contains no list of objects"):
        Kit(script.url).arm.pools(SUB)


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (Answer(401, error("ExpiredAuthenticationToken", "expired")), Forbidden, "401 ExpiredAuthenticationToken"),
        (
            Answer(
                403,
                error(
                    "AuthorizationFailed",
                    "The client 'me@x' with object id '7d' does not have authorization to perform action "
                    f"'Microsoft.DevOpsInfrastructure/pools/read' over scope '{POOL_ID}' or the scope is invalid.",
                ),
            ),
            Forbidden,
            f"the identity lacks Microsoft.DevOpsInfrastructure/pools/read over {POOL_ID} (403 AuthorizationFailed)",
        ),
        (Answer(429, error("SubscriptionRequestsThrottled")), Throttled, "ARM throttles"),
        (Answer(409, error("MissingSubscriptionRegistration", "x")), Rejected, "az provider register"),
        (Answer(409, error("ScopeLocked", "locked")), Rejected, "409 ScopeLocked: locked"),
        (Answer(409, error("AnotherOperationInProgress", "busy")), NotReady, "another operation is in progress"),
        (Answer(302, b"", {"Location": "/elsewhere"}), Rejected, "302, a redirect"),
        (Answer(200, b"<html>Sign in</html>"), Unavailable, "no JSON object"),
        (Answer(200, [1]), Unavailable, "no JSON object"),
        (Answer(501, error("X", "y")), Unavailable, "501 X: y"),
    ],
)
def test_each_refusal_has_its_kind(script: Script, answer: Answer, kind: type[ReconcilerError], message: str) -> None:
    """The kind decides who waits for whom: backoff, gate, or a person."""
    script.say(answer)

    with pytest.raises(kind) as caught:
        Kit(script.url).arm.pool(POOL_ID)
    assert message in str(caught.value)
    assert type(caught.value) is kind
    assert len(script.asked) == 1


@pytest.mark.parametrize(("header", "seconds"), [("17", 17.0), ("nonsense", None), ("nan", None), ("-3", 0.0)])
def test_a_throttled_call_says_how_long(script: Script, header: str, seconds: float | None) -> None:
    script.say(Answer(429, error("TooManyRequests"), {"Retry-After": header}))

    with pytest.raises(Throttled) as caught:
        Kit(script.url).arm.pool(POOL_ID)
    assert caught.value.retry_after == seconds


def test_a_read_is_tried_three_times_and_no_more(script: Script) -> None:
    script.say(*[Answer(503, error("ServerBusy", "later"), {"Retry-After": "0"})] * 4)

    with pytest.raises(Unavailable, match="503 ServerBusy: later"):
        Kit(script.url).arm.pool(POOL_ID)
    assert len(script.asked) == 3


def test_a_long_wait_is_handed_on_and_not_slept(script: Script) -> None:
    """No thread sleeps for a minute because a header says so."""
    script.say(Answer(503, error("ServerBusy"), {"Retry-After": "60"}))

    with pytest.raises(Unavailable) as caught:
        Kit(script.url).arm.pool(POOL_ID)
    assert (caught.value.retry_after, len(script.asked)) == (60.0, 1)


@pytest.mark.parametrize("fault", [SILENT, CUT])
def test_a_short_fault_is_read_through(script: Script, fault: str) -> None:
    script.say(Answer(200, pool(), fault=fault), Answer(200, pool()))

    assert Kit(script.url).arm.pool(POOL_ID) == pool()
    assert len(script.asked) == 2


@pytest.mark.parametrize("fault", [SILENT, CUT])
def test_a_fault_that_lasts_has_a_message_that_stays_the_same(script: Script, fault: str) -> None:
    """Messages end up in conditions; addresses of objects in them would make those flap."""
    script.say(*[Answer(200, pool(), fault=fault)] * 6)
    kit = Kit(script.url)
    messages = set()
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            kit.arm.pool(POOL_ID)
        messages.add(str(caught.value))

    assert len(messages) == 1
    assert "0x" not in messages.pop()


def test_nothing_listening_is_unavailable() -> None:
    with pytest.raises(Unavailable, match=r"^pool fabrikam: ARM could not be reached"):
        Kit("http://127.0.0.1:9").arm.pool(POOL_ID)


def test_no_token_shows_up_in_an_error_or_a_log(script: Script, caplog: pytest.LogCaptureFixture) -> None:
    """A service that echoes what it was sent must not put our token into a condition."""
    caplog.set_level(logging.DEBUG)
    echo = f"bad header 'Bearer {CANARY}' {CANARY} https://x/y?sig=abc&se=1 eyJhbGciOi.eyJzdWIi.sig"
    script.say(Answer(400, error("Echo", echo, details=[{"message": CANARY}])))

    with pytest.raises(Rejected) as caught:
        Kit(script.url).arm.pool(POOL_ID)
    told = f"{caught.value!r} {caught.value.__cause__!r} {caplog.text}"
    assert [word for word in (CANARY, "sig=abc", "eyJ") if word in told] == []
    assert "\n" not in str(caught.value)


def test_a_call_is_one_span_and_every_exchange_is_counted(script: Script) -> None:
    """What is slow, and what to tell ARM's support; no header, body, path or query goes with it."""
    script.say(Answer(503, {}, {"Retry-After": "0"}), Answer(200, pool(), {"x-ms-correlation-request-id": "c0ffee-1"}))
    kit = Kit(script.url)
    kit.arm.pool(POOL_ID)

    (span,) = kit.telemetry.spans
    assert (span.name, span.client, span.error) == ("GET Pools_Get", True, None)
    assert span.attributes == {
        "peer.service": "arm",
        "reconciler.route": "Pools_Get",
        "http.request.method": "GET",
        "reconciler.attempts": 2,
        "http.response.status_code": 200,
        "reconciler.correlation": "c0ffee-1",
    }
    assert kit.telemetry.total("reconciler.calls", target="arm", method="GET", outcome="failed") == 1
    assert kit.telemetry.total("reconciler.calls", target="arm", method="GET", outcome="ok") == 1
    assert len(kit.telemetry.all("reconciler.call.seconds", target="arm")) == 2


def test_what_a_service_calls_its_id_is_believed_only_where_it_looks_like_one(script: Script) -> None:
    script.say(Answer(200, pool(), {"x-ms-correlation-request-id": "token=" + CANARY}))
    kit = Kit(script.url)
    kit.arm.pool(POOL_ID)

    assert "reconciler.correlation" not in kit.telemetry.spans[0].attributes


def test_connections_and_tokens_are_reused(script: Script) -> None:
    script.say(*[Answer(200, pool())] * 5)
    kit = Kit(script.url)
    for _ in range(5):
        kit.arm.pool(POOL_ID)

    assert len({asked.port for asked in script.asked}) == 1
    assert kit.credential.asked == [("https://management.azure.com/.default",)]


def test_one_arm_serves_several_threads(script: Script) -> None:
    script.say(*[Answer(200, pool())] * 40)
    kit = Kit(script.url)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(kit.arm.pool, [POOL_ID] * 40))

    assert found == [pool()] * 40
    assert len({asked.port for asked in script.asked}) <= 8


def test_a_credential_without_a_token_is_forbidden_without_its_words(script: Script) -> None:
    """Messages of the identity platform carry trace ids and times."""

    class Locked(Canary):
        def get_token(self, *_: str, **__: object) -> AccessToken:
            raise ClientAuthenticationError(f"AADSTS7000215 Trace ID: 5 {CANARY}")

    with pytest.raises(Forbidden) as caught:
        Kit(script.url, Locked()).arm.pool(POOL_ID)
    assert str(caught.value) == "pool fabrikam: no token for ARM (ClientAuthenticationError)"
    assert script.asked == []


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ("http://management.azure.com", "http is only for loopback"),
        ("http://127.0.0.1:80", "loopback"),
        ("https://localhost", "loopback"),
        ("https://me:secret@management.azure.com", "credentials do not belong"),
        ("management.azure.com", "not https"),
        ("ftp://management.azure.com", "ftp is not https"),
        ("https://[", "not a URL"),
    ],
)
def test_an_endpoint_that_must_not_get_a_token_is_refused(endpoint: str, message: str) -> None:
    with pytest.raises(Refused, match=message) as caught:
        Arm(endpoint, Canary(), allow_loopback=False)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "pool_id", ["", "fabrikam", POOL_ID + "/x", POOL_ID.replace("rg-build", ".."), POOL_ID.replace("rg-build", "{x}")]
)
def test_an_id_that_is_no_pools_is_refused_unsent(script: Script, pool_id: str) -> None:
    with pytest.raises(SpecInvalid, match="is no resource id"):
        Kit(script.url).arm.pool(pool_id)
    assert script.asked == []


def test_a_subscription_that_is_no_guid_is_refused_unsent(script: Script) -> None:
    with pytest.raises(SpecInvalid, match="is no subscription id"):
        Kit(script.url).arm.pools("../x")
    assert script.asked == []


def test_a_closed_arm_opens_again_when_it_is_asked(script: Script) -> None:
    script.say(Answer(200, pool()), Answer(200, pool()))
    arm = Kit(script.url).arm
    arm.pool(POOL_ID)
    arm.close()

    assert arm.pool(POOL_ID) == pool()
