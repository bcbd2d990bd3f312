from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.engine.status import Truth
from tests.service.page.kit import REVISION, Files, Site, texts


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path, Files(texts("build-pool", "test-pool", projects=("Web", "Api"))))
    made.status("build-pool", Truth.TRUE, "InSync", "both planes are as the spec says", applied=REVISION)
    made.status("test-pool", Truth.FALSE, "Refused", "a guard refuses a change", stalled="Refused")
    made.status("retired-pool", Truth.UNKNOWN, "NotInSpecs", "no spec names the pool")
    return made
