"""What one process of a test run has to forget, where it plays more than one process of the program."""

from __future__ import annotations

import sys


def forget_routes() -> None:
    """The routes that the azure-devops package keeps by address: a port can come again within one process."""
    if (package := sys.modules.get("azure.devops.client")) is not None:
        package.Client._locations_cache.clear()
        sys.modules["azure.devops._file_cache"].OPTIONS_CACHE.data.clear()
