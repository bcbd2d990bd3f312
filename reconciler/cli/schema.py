"""`schema`: the JSON Schema of a spec file, for editors."""

from __future__ import annotations

from reconciler.cli.codes import DONE
from reconciler.cli.screen import Screen


def schema() -> int:
    """Print the JSON Schema of spec files, so that an editor completes and checks them."""
    from reconciler.spec.schema import json_schema  # noqa: PLC0415 - the models take a while to build

    Screen().document(json_schema())
    return DONE
