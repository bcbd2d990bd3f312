"""Who we are towards Azure: tokens, one audience for each service, refreshed before they expire.

Four kinds, chosen by the deployment: `default` (azure-identity's chain: environment, workload or managed identity,
developer sign-in), `managed` (one managed identity), `pat` (a personal access token for Azure DevOps, for local use;
ARM still takes the chain) and `static` (two given tokens, for endpoints on loopback alone).

A token leaves this module only towards the session that sends it. It is in no text, `repr` or error: what
azure-identity says of a failure names tenants, clients and URLs, so only the class of its error is passed on.
azure-identity is imported when the first token is needed, because that costs a fifth of a second.

Sources: Microsoft Learn, Azure DevOps service principals and managed identities (the resource id of Azure DevOps;
a personal access token is sent as Basic with an empty user); azure-core `TokenCredential`.
"""

from __future__ import annotations

import base64
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Self

from reconciler.adapters import lazy_imports
from reconciler.config.endpoints import is_loopback
from reconciler.errors import Forbidden, ReconcilerError, Refused, Unavailable

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, AccessTokenInfo, TokenCredential

ARM = "https://management.azure.com/.default"
DEVOPS = "499b84ac-1321-427f-aa17-267ca6975798/.default"
STORAGE = "https://storage.azure.com/.default"
_SERVICES = {ARM: "Azure Resource Manager", DEVOPS: "Azure DevOps", STORAGE: "Azure Storage"}

REFRESH_BEFORE = 300.0
"""Seconds before its end from which a token is replaced."""
ASK_AGAIN = 30.0
"""Seconds between two attempts to replace a token that still holds."""
REMEMBER_FAILURE = 10.0
"""Seconds for which a failed sign-in is not tried again: a thousand calls would each wait for it."""
_FAR = 3600.0
"""Lifetime that a static token is said to have."""
_SENDABLE = re.compile(r"[\x21-\x7e]+")


class Credential(ABC):
    """Gives tokens; the base of the four kinds."""

    name: str
    """Tells identities apart where calls are counted; no secret."""

    @abstractmethod
    def arm_token(self) -> AccessToken:
        """A token for Azure Resource Manager. Raises `Forbidden`, or `Unavailable` without a response."""

    @abstractmethod
    def devops_header(self) -> str:
        """Value of the Authorization header for Azure DevOps. Raises as `arm_token` does."""

    @abstractmethod
    def secrets(self) -> tuple[str, ...]:
        """What must not appear in any text, as far as it is held now."""

    @abstractmethod
    def token_info(self, scope: str, claims: str | None = None) -> AccessTokenInfo:
        """A token for one of the audiences that azure-core clients may ask for."""

    @abstractmethod
    def start_sign_in(self) -> None:
        """Request the tokens of both services in the background, where that takes time. Raises nothing."""

    def sign_in(self, *, devops: bool = False) -> None:
        """Wait for the token that every run needs, so that a missing sign-in is one error. Raises as above.

        `devops`: the run needs no other service.
        """
        if devops:
            self.devops_header()
        else:
            self.arm_token()

    def for_azure(self) -> TokenView:
        """The same identity as azure-core's `TokenCredential`, for ARM and Azure Storage."""
        return TokenView(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class TokenView:
    """What azure-core clients take: `get_token` and `get_token_info` for ARM and Storage, and for nothing else."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    def get_token(self, *scopes: str, claims: str | None = None, **_options: Any) -> AccessToken:
        """azure-core's older protocol."""
        from azure.core.credentials import AccessToken  # noqa: PLC0415 - see the module's docstring

        info = self._credential.token_info(_only(scopes), claims)
        return AccessToken(info.token, info.expires_on)

    def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        """azure-core's newer protocol."""
        return self._credential.token_info(_only(scopes), (options or {}).get("claims"))

    def close(self) -> None:
        """Nothing is held open; azure-core asks for it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<TokenView of {self._credential.name}>"


@dataclass(slots=True)
class _Held:
    """A token, or the failure to get one, and until when to be content with it."""

    lock: Lock = field(default_factory=Lock)
    info: AccessTokenInfo | None = None
    failure: ReconcilerError | None = None
    content_until: float = 0.0


class EntraCredential(Credential):
    """Tokens of an azure-identity credential, kept by audience. Safe to share between threads."""

    def __init__(
        self, name: str, make: Callable[[], TokenCredential], wall: Callable[[], float] = time.time, advice: str = ""
    ) -> None:
        """`advice`: what a person can do where no token is given; it follows the message."""
        self.name = name
        self.advice = f"; {advice}" if advice else ""
        self._make = make
        self._wall = wall
        self._source: TokenCredential | None = None
        self._held: dict[str, _Held] = {scope: _Held() for scope in _SERVICES}

    def arm_token(self) -> AccessToken:
        """See `Credential`."""
        return self.for_azure().get_token(ARM)

    def devops_header(self) -> str:
        """See `Credential`."""
        return f"Bearer {self.token_info(DEVOPS).token}"

    def start_sign_in(self, scopes: Iterable[str] = (DEVOPS, ARM)) -> None:
        """See `Credential`. The first call that needs a token waits for it, or gets the error."""
        for scope in scopes:
            Thread(target=self._sign_in, args=(scope,), name=f"sign-in {_SERVICES[scope]}", daemon=True).start()

    def _sign_in(self, scope: str) -> None:
        with suppress(ReconcilerError):  # held for the call that needs the token
            self.token_info(scope)

    def secrets(self) -> tuple[str, ...]:
        """See `Credential`."""
        return tuple(held.info.token for held in self._held.values() if held.info)

    def token_info(self, scope: str, claims: str | None = None) -> AccessTokenInfo:
        """See `Credential`; with `claims` (a challenge of the service) a new token is requested."""
        held = self._held[scope]
        with held.lock:
            now = self._wall()
            if claims or now >= held.content_until:
                self._renew(held, scope, claims)
            if held.failure:
                raise type(held.failure)(str(held.failure))
            assert held.info is not None  # noqa: S101 - for the type checker: `_renew` sets one of the two
            return held.info

    def _renew(self, held: _Held, scope: str, claims: str | None) -> None:
        """Replace what is held; where that fails a token that still holds stays in use."""
        now = self._wall()
        try:
            info = self._ask(scope, claims)
        except ReconcilerError as failure:
            if held.info and held.info.expires_on - ASK_AGAIN > now and not claims:
                held.content_until = now + ASK_AGAIN
                return
            held.info, held.failure, held.content_until = None, failure, now + REMEMBER_FAILURE
            return
        held.info, held.failure = info, None
        held.content_until = max(info.expires_on - REFRESH_BEFORE, now + ASK_AGAIN)

    def _ask(self, scope: str, claims: str | None) -> AccessTokenInfo:
        lazy_imports.load()
        from azure.core.credentials import AccessTokenInfo  # noqa: PLC0415 - see the module's docstring
        from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError  # noqa: PLC0415

        where = f"sign-in for {_SERVICES[scope]} as {self.name}"
        try:
            if self._source is None:
                self._source = self._make()
            token = self._source.get_token(scope, claims=claims) if claims else self._source.get_token(scope)
        except (ServiceRequestError, ServiceResponseError) as error:
            from reconciler.adapters import network  # noqa: PLC0415 - imports requests

            raise Unavailable(f"{where}: no response: {network.no_response(error).why}") from None
        except (AzureError, ValueError) as error:
            raise Forbidden(f"{where}: not signed in ({type(error).__name__}){self.advice}") from None
        return AccessTokenInfo(_sendable(token.token, where), token.expires_on)


class PatCredential(Credential):
    """A personal access token for Azure DevOps; everything else as `entra` says."""

    def __init__(self, pat: str, entra: EntraCredential) -> None:
        self.name = "pat"
        self._entra = entra
        pat = _sendable(pat.strip(), "personal access token")
        self._secrets = (pat, base64.b64encode(f":{pat}".encode()).decode())

    def arm_token(self) -> AccessToken:
        """See `Credential`."""
        return self._entra.arm_token()

    def devops_header(self) -> str:
        """See `Credential`."""
        return f"Basic {self._secrets[1]}"

    def start_sign_in(self) -> None:
        """See `Credential`."""
        self._entra.start_sign_in((ARM,))

    def secrets(self) -> tuple[str, ...]:
        """See `Credential`."""
        return (*self._secrets, *self._entra.secrets())

    def token_info(self, scope: str, claims: str | None = None) -> AccessTokenInfo:
        """See `Credential`."""
        return self._entra.token_info(scope, claims)


class StaticCredential(Credential):
    """Two given tokens, for services on loopback."""

    def __init__(self, arm: str, devops: str, wall: Callable[[], float] = time.time) -> None:
        self.name = "static"
        self._arm = _sendable(arm.strip(), "static token for ARM")
        self._devops = _sendable(devops.strip(), "static token for Azure DevOps")
        self._wall = wall

    def arm_token(self) -> AccessToken:
        """See `Credential`."""
        return self.for_azure().get_token(ARM)

    def devops_header(self) -> str:
        """See `Credential`."""
        return f"Bearer {self._devops}"

    def start_sign_in(self) -> None:
        """See `Credential`; both tokens are there."""

    def secrets(self) -> tuple[str, ...]:
        """See `Credential`."""
        return self._arm, self._devops

    def token_info(self, scope: str, claims: str | None = None) -> AccessTokenInfo:  # noqa: ARG002 - as the base says
        """See `Credential`; there is one for ARM alone, and challenges change nothing."""
        lazy_imports.load()
        from azure.core.credentials import AccessTokenInfo  # noqa: PLC0415 - see the module's docstring

        if scope != ARM:
            raise Refused(f"static credential: there is no token for {_SERVICES[scope]}")
        return AccessTokenInfo(self._arm, int(self._wall() + _FAR))


def default(client_id: str = "") -> EntraCredential:
    """azure-identity's chain; `client_id` names a user-assigned managed identity in it."""

    def make() -> TokenCredential:
        with lazy_imports.LOADING:
            from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - see the module's docstring

            from reconciler.adapters import network  # noqa: PLC0415 - imports requests

        named = {"managed_identity_client_id": client_id} if client_id else {}
        return DefaultAzureCredential(**named, transport=network.azure_transport())

    return EntraCredential("default", make, advice="run `az login`, or set RECONCILER_CREDENTIAL")


def managed(client_id: str = "") -> EntraCredential:
    """A managed identity: the user-assigned one with this client id, or the system-assigned one."""

    def make() -> TokenCredential:
        with lazy_imports.LOADING:
            from azure.identity import ManagedIdentityCredential  # noqa: PLC0415 - see the module's docstring

            from reconciler.adapters import network  # noqa: PLC0415 - imports requests

        return ManagedIdentityCredential(client_id=client_id or None, transport=network.azure_transport())

    return EntraCredential("managed", make)


def pat(token: str) -> PatCredential:
    """A personal access token for Azure DevOps, azure-identity's chain for ARM."""
    return PatCredential(token, default())


def static(arm: str, devops: str, endpoints: Iterable[str]) -> StaticCredential:
    """Two tokens as given; refused unless every endpoint is on loopback."""
    for endpoint in endpoints:
        if not is_loopback(endpoint):
            raise Refused("credential static: given tokens are for endpoints on loopback; use default or managed")
    return StaticCredential(arm, devops)


def _only(scopes: tuple[str, ...]) -> str:
    """The one requested audience. Azure DevOps is not among them: its token has its own session."""
    if len(scopes) != 1 or scopes[0] not in {ARM, STORAGE}:
        raise Refused(f"credential: no token for {', '.join(scopes) or 'no audience'}; only for ARM and Azure Storage")
    return scopes[0]


def _sendable(token: str, where: str) -> str:
    """The token, if it can stand in a header; a library that cannot send it would print it."""
    if not _SENDABLE.fullmatch(token):
        raise Forbidden(f"{where}: it is empty or holds characters that no token has")
    return token
