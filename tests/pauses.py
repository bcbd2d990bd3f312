"""The pauses that Azure's packages make between their tries are noted down instead of waited for."""

from __future__ import annotations

import pytest


@pytest.fixture
def sdk_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds of each pause, in order; none of them is slept."""
    from azure.core.pipeline.transport import HttpTransport  # noqa: PLC0415 - few tests need what it imports

    pauses: list[float] = []
    monkeypatch.setattr(HttpTransport, "sleep", lambda _, seconds: pauses.append(seconds))
    return pauses
