from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.families import Family, Stores, local_family, storage_family


@pytest.fixture(params=["local", pytest.param("storage", marks=pytest.mark.azurite)])
def family(request: pytest.FixtureRequest, tmp_path: Path) -> Family:
    if request.param == "local":
        return local_family(tmp_path)
    return storage_family(request.getfixturevalue("azurite").connection)


@pytest.fixture
def one(family: Family) -> Iterator[Stores]:
    stores = family.worker()
    yield stores
    stores.close()


@pytest.fixture
def other(family: Family) -> Iterator[Stores]:
    stores = family.worker()
    yield stores
    stores.close()
