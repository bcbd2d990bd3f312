"""What `validate` does not import: nothing that shows or holds a plan."""

from __future__ import annotations

from tests.cli.process import Desk
from tests.cli.test_cli_start import imported, ours


def test_validate_needs_no_plan(desk: Desk) -> None:
    """Of the package of plans only what makes a text harmless, also where there are problems to show."""
    desk.spec()

    found = ours(imported(desk.folder, "validate", "--specs", "specs"))

    assert {name for name in found if name.startswith("plan")} == {"plan", "plan.render", "plan.render.clean"}
    assert len(found) < 60, sorted(found)
