"""Where a service is not signed in, its log has the operator's own words and none of azure-identity's."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

import reconciler.service.triggers.logs  # noqa: F401 - sets the level
from reconciler.adapters import credentials
from reconciler.errors import Forbidden


def test_a_failed_sign_in_is_no_warning_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With the package's level lowered again there would be one, which names how it tried."""
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
    monkeypatch.setenv("PATH", str(tmp_path))

    with caplog.at_level(logging.WARNING), pytest.raises(Forbidden, match="not signed in"):
        credentials.default().token_info(credentials.ARM)
    assert [record.name for record in caplog.records] == []

    with caplog.at_level(logging.WARNING, "azure.identity"), pytest.raises(Forbidden):
        credentials.default().token_info(credentials.ARM)
    assert any("Attempted credentials" in record.getMessage() for record in caplog.records)
