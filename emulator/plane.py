"""What a plane adds to its routes: the caller, admission, and the shape of errors and responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from emulator.frame import ApiError, Request, Response
from emulator.router import Route, Router
from emulator.world import World


class ResponseReady(Exception):
    """A response that is ready and is not an API error: a sign-in page, an empty 401."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class Plane(Protocol):
    """One HTTP surface of the emulator."""

    name: str
    router: Router

    def caller(self, world: World, method: str, headers: Mapping[str, str]) -> str:
        """Name of the principal behind the request; raises ApiError or Answered."""
        ...

    def admit(self, world: World, request: Request, route: Route) -> Mapping[str, str]:
        """Refuses what the service refuses before any handler (versions, rate limits); headers for the answer."""
        ...

    def problem(self, kind: str, detail: str) -> ApiError:
        """The service's error for `unknown-route`, `method`, `media-type`, `malformed`, `too-large`, `crash`."""
        ...

    def render(self, error: ApiError) -> Response:
        """An error in the service's own shape."""
        ...

    def finish(self, world: World, request: Request, response: Response) -> Mapping[str, str]:
        """Headers that the service puts on every answer; those of the response itself win."""
        ...

    def fault(self, kind: str, seconds: float, request: Request) -> Response:
        """The answer of a fault whose kind is a status."""
        ...
