"""An estate over HTTP, its specs as text, and the program as the command line builds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from emulator import start
from tests.aspects.shop import Shop, settings

Open: TypeAlias = Callable[..., Shop]


@pytest.fixture
def open_shop(tmp_path: Path) -> Iterator[Open]:
    """Starts an emulator for an estate, and the program beside it."""
    with ExitStack() as running:

        def begin(estate: dict[str, Any] | Path, **switches: bool | float | str) -> Shop:
            turned = {name.replace("__", ".", 1).replace("_", "-"): value for name, value in switches.items()}
            cloud = running.enter_context(start(estate, switches={"arm.retry-after": 0, **turned}))
            shop = Shop(cloud, settings(cloud, tmp_path / "state.db"))
            running.callback(shop.app.close)
            return shop

        yield begin
