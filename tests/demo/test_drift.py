"""What the buttons of `play` cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import requests

from emulator import start
from reconciler.demo.drift import throttle
from reconciler.demo.scenario import PRIME
from tests.scenarios.drafts import estate

if TYPE_CHECKING:
    from reconciler.demo.emulation import Emulation


def test_reading_the_audit_log_does_not_use_the_throttling_up() -> None:
    """It is read every ten seconds, agent pools every minute; and only pauses of the latter are on the page."""
    with start(estate()) as running, requests.Session() as operator:
        operator.headers["Authorization"] = f"Bearer {running.tokens['devops']}"

        def status(path: str) -> int:
            return operator.get(f"{running.devops}/{PRIME}/_apis/{path}", timeout=30).status_code

        throttle(cast("Emulation", running.do))

        assert {status("audit/auditlog?api-version=7.1-preview.1") for _ in range(4)} == {200}
        pools = [status("distributedtask/pools?api-version=7.1") for _ in range(4)]
        assert pools == [429, 429, 429, 200]
