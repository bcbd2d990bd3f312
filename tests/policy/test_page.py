"""docs/policy.md and examples/policy.yaml say what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.plan.policy import load, problems
from reconciler.plan.policy.fields import table
from reconciler.spec import loader
from reconciler.tools.policy import draft_policy, text

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")


def test_the_page_has_the_table_of_fields() -> None:
    begin, end = "<!-- fields: made by python -m reconciler.plan.policy.fields -->", "<!-- end of fields -->"

    shown = PAGE.partition(begin)[2].partition(end)[0].strip()

    assert shown == table().strip(), "run python -m reconciler.plan.policy.fields and put it between the marks"


def test_the_example_of_the_page_is_a_policy() -> None:
    example = re.search(r"```yaml\n(.+?)```", PAGE, re.DOTALL)
    assert example is not None

    assert problems(example[1].encode()) == ()
    found = load(example[1].encode()).for_pool("fabrikam-release")
    assert len(found.subnets or ()) == 2
    assert (found.create_pools, found.max_concurrency, found.images) == (True, 20, ("ubuntu-24.04*", "windows-2025*"))


def test_the_example_file_is_what_init_writes() -> None:
    folder = ROOT / "examples" / "specs"
    loaded = loader.load({path.name: path.read_bytes() for path in sorted(folder.iterdir())})
    draft = draft_policy(loaded.specs)

    assert loaded.problems == ()
    assert (ROOT / "examples" / "policy.yaml").read_text(encoding="utf-8") == text(draft.allow, draft.notes), (
        "run: policy init --specs examples/specs --to examples/policy.yaml --force"
    )
