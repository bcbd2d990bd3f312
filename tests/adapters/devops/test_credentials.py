"""Tokens are kept, refreshed in time, given for one audience each, and never seen."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

from reconciler.adapters import credentials
from reconciler.adapters.credentials import ARM, DEVOPS, STORAGE, Credential, EntraCredential, PatCredential
from reconciler.errors import Forbidden, Refused, Unavailable
from tests.adapters.devops.scripted import FakeTime


class Source:
    """Stands where an azure-identity credential would: gives numbered tokens of one hour, or fails."""

    def __init__(self, time: FakeTime, lifetime: float = 3600) -> None:
        self.asked: list[tuple[tuple[str, ...], dict[str, Any]]] = []
        self.failure: Exception | None = None
        self._time = time
        self._lifetime = lifetime

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        self.asked.append((scopes, options))
        if self.failure:
            raise self.failure
        return AccessToken(f"canary-{len(self.asked)}", int(self._time.now + self._lifetime))


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def source(time: FakeTime) -> Source:
    return Source(time)


@pytest.fixture
def credential(source: Source, time: FakeTime) -> EntraCredential:
    return EntraCredential("default", lambda: source, time.clock)


def test_each_service_has_its_own_audience(credential: EntraCredential, source: Source) -> None:
    assert credential.devops_header() == "Bearer canary-1"
    assert credential.arm_token().token == "canary-2"
    assert source.asked == [((DEVOPS,), {}), ((ARM,), {})]


def settled() -> None:
    """Wait until no sign-in goes on in the background."""
    for thread in threading.enumerate():
        if thread.name.startswith("sign-in "):
            thread.join(30)


def test_a_sign_in_that_began_early_is_the_one_that_calls_use(credential: EntraCredential, source: Source) -> None:
    credential.start_sign_in()
    settled()
    assert sorted(scopes for scopes, _ in source.asked) == sorted([(DEVOPS,), (ARM,)])

    assert credential.devops_header().startswith("Bearer canary-")
    assert credential.arm_token().token
    assert len(source.asked) == 2


def test_an_early_sign_in_that_fails_is_the_error_of_the_call(credential: EntraCredential, source: Source) -> None:
    source.failure = ClientAuthenticationError("no")
    credential.start_sign_in()
    settled()

    with pytest.raises(Forbidden):
        credential.devops_header()
    assert len(source.asked) == 2


def test_a_personal_access_token_signs_in_for_arm_alone(credential: EntraCredential, source: Source) -> None:
    PatCredential("canary-pat", credential).start_sign_in()
    settled()

    assert source.asked == [((ARM,), {})]


def test_given_tokens_need_no_sign_in() -> None:
    before = threading.active_count()
    credentials.static("a", "b", ["http://127.0.0.1:1"]).start_sign_in()

    assert threading.active_count() == before


def test_a_token_is_asked_for_once_by_many_threads(credential: EntraCredential, source: Source) -> None:
    threads = [threading.Thread(target=credential.devops_header) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(source.asked) == 1


def test_a_token_is_replaced_five_minutes_before_its_end(
    credential: EntraCredential, source: Source, time: FakeTime
) -> None:
    credential.devops_header()
    time.sleep(3600 - 301)
    assert credential.devops_header() == "Bearer canary-1"
    time.sleep(2)
    assert credential.devops_header() == "Bearer canary-2"


def test_a_token_that_still_holds_outlives_a_failing_sign_in(
    credential: EntraCredential, source: Source, time: FakeTime
) -> None:
    credential.devops_header()
    time.sleep(3400)
    source.failure = ServiceRequestError("no route to login.microsoftonline.com")
    assert credential.devops_header() == "Bearer canary-1"
    assert credential.devops_header() == "Bearer canary-1"
    assert len(source.asked) == 2
    time.sleep(180)
    with pytest.raises(Unavailable):
        credential.devops_header()


@pytest.mark.parametrize(
    ("failure", "kind", "text"),
    [
        (
            ClientAuthenticationError("AADSTS700016: tenant 72f988bf, secret canary-secret"),
            Forbidden,
            "sign-in for Azure DevOps as default: not signed in (ClientAuthenticationError)",
        ),
        (
            ServiceRequestError("https://login.microsoftonline.com/tenant?secret=canary"),
            Unavailable,
            "sign-in for Azure DevOps as default: no response: the connection broke off",
        ),
        (ValueError("canary"), Forbidden, "sign-in for Azure DevOps as default: not signed in (ValueError)"),
    ],
)
def test_a_failed_sign_in_tells_its_kind_and_nothing_else(
    credential: EntraCredential, source: Source, failure: Exception, kind: type[Exception], text: str
) -> None:
    source.failure = failure

    with pytest.raises(kind) as caught:
        credential.devops_header()
    assert str(caught.value) == text


def test_a_failed_sign_in_is_not_repeated_for_every_call(
    credential: EntraCredential, source: Source, time: FakeTime
) -> None:
    source.failure = ClientAuthenticationError("no")
    for _ in range(50):
        with pytest.raises(Forbidden):
            credential.devops_header()
    assert len(source.asked) == 1

    time.sleep(10)
    source.failure = None
    assert credential.devops_header() == "Bearer canary-2"


def test_a_sign_in_that_cannot_even_begin_is_an_error_of_ours(time: FakeTime) -> None:
    def broken() -> Source:
        raise ValueError("AZURE_CLIENT_CERTIFICATE_PATH=/canary")

    with pytest.raises(Forbidden, match=r"not signed in \(ValueError\)$"):
        EntraCredential("default", broken, time.clock).devops_header()


def test_a_token_that_no_header_can_hold_is_refused_without_being_shown(time: FakeTime) -> None:
    """The HTTP library would print it."""
    for token in ("canary\nX: y", "", "canäry"):
        with pytest.raises(Forbidden) as caught:
            credentials.pat(token)
        assert "can" not in str(caught.value).replace("characters", "")


def test_a_personal_access_token_is_basic_with_an_empty_user(credential: EntraCredential) -> None:
    pat = PatCredential("canary-pat\n", credential)

    assert pat.devops_header() == "Basic OmNhbmFyeS1wYXQ="
    assert pat.arm_token().token == "canary-1"
    assert set(pat.secrets()) == {"canary-pat", "OmNhbmFyeS1wYXQ=", "canary-1"}


def test_static_tokens_are_for_loopback(time: FakeTime) -> None:
    static = credentials.static("canary-arm", "canary-devops", ["http://127.0.0.1:1", "http://localhost:2"])

    assert static.devops_header() == "Bearer canary-devops"
    assert static.arm_token().token == "canary-arm"
    with pytest.raises(Refused, match="endpoints on loopback"):
        credentials.static("canary-arm", "canary-devops", ["http://127.0.0.1:1", "https://dev.azure.com"])


def test_azure_core_clients_get_tokens_for_their_two_audiences_alone(
    credential: EntraCredential, source: Source
) -> None:
    with credential.for_azure() as view:
        assert view.get_token(ARM) == AccessToken("canary-1", 1_003_600)
        assert view.get_token_info(STORAGE).token == "canary-2"
        for scopes in ((DEVOPS,), (), (ARM, STORAGE), ("https://graph.microsoft.com/.default",)):
            with pytest.raises(Refused, match="only for ARM and Azure Storage"):
                view.get_token(*scopes)
    with pytest.raises(Refused, match="no token for Azure Storage"):
        credentials.static("a", "b", []).for_azure().get_token(STORAGE)


def test_a_challenge_of_the_service_brings_a_new_token(credential: EntraCredential, source: Source) -> None:
    view = credential.for_azure()
    view.get_token(ARM)

    assert view.get_token_info(ARM, options={"claims": "e30="}).token == "canary-2"
    assert view.get_token(ARM, claims="e30=").token == "canary-3"
    assert source.asked[1:] == [((ARM,), {"claims": "e30="})] * 2


@pytest.mark.parametrize(
    ("credential", "name"),
    [
        (credentials.default(), "DefaultAzureCredential"),
        (credentials.default("client"), "DefaultAzureCredential"),
        (credentials.managed(), "ManagedIdentityCredential"),
        (credentials.managed("client"), "ManagedIdentityCredential"),
    ],
)
def test_azure_identity_stands_behind_the_entra_kinds(credential: EntraCredential, name: str) -> None:
    """Opened only: what they would ask is no loopback."""
    opened = credential._make()

    assert type(opened).__name__ == name
    assert isinstance(opened, DefaultAzureCredential | ManagedIdentityCredential)
    opened.close()


@pytest.mark.parametrize("kind", ["default", "managed", "managed-by-id", "pat", "static"])
def test_no_kind_shows_itself(kind: str) -> None:
    made: dict[str, Credential] = {
        "default": credentials.default("client"),
        "managed": credentials.managed(),
        "managed-by-id": credentials.managed("client"),
        "pat": credentials.pat("canary-pat"),
        "static": credentials.static("canary-arm", "canary-devops", []),
    }
    credential = made[kind]

    assert credential.name == kind.removesuffix("-by-id")
    assert "canary" not in f"{credential!r} {credential} {credential.for_azure()!r}"
