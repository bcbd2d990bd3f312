"""JSON documents: their type, in one place."""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = Any
"""A JSON value. `Any` crosses the border here: documents of the services are open-ended."""
