"""A company's network for the tests of all transports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.company import Authority, proxying
from tests.adapters.loopback import Answer, serving
from tests.adapters.transports import HOSTS, VARIABLES, Company


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sdk_pauses: list[float]) -> Iterator[Company]:
    """All hosts behind one proxy; each answers 403, so a call that arrived is known by its error."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)

    def change(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    authority = Authority(tmp_path)
    with serving(authority.server(*HOSTS, "127.0.0.1")) as service, proxying(service.url) as proxy:
        service.say(*[Answer(403, {"error": {"code": "NotAllowed", "message": "no"}})] * 9)
        yield Company(service, proxy, authority, change)
