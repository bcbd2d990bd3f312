"""What one process of a test run has to forget, where it plays more than one process of the program."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, TypeAlias

Routes: TypeAlias = tuple[Mapping[str, Any], Mapping[str, Any]]


def forget_routes(but: Routes = ({}, {})) -> None:
    """The routes that the azure-devops package keeps by address: a port can come again within one process."""
    for kept, known in zip(_kept(), but, strict=False):
        kept.clear()
        kept.update(known)


def known_routes() -> Routes:
    """What it keeps now, for tests of one emulator that lives on: to read all routes takes as long as a look does."""
    first, second = map(dict, _kept())
    return first, second


def _kept() -> tuple[Any, ...]:
    if (package := sys.modules.get("azure.devops.client")) is None:
        return ()
    return package.Client._locations_cache, sys.modules["azure.devops._file_cache"].OPTIONS_CACHE.data
