"""Generated parts of the pages are what the program says, and the snippets for other tools parse."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from reconciler.cli.app import COMMANDS
from reconciler.engine.status import REASONS
from scripts.reference import PAGES, ROOT, with_parts
from scripts.reference_parts import alerts, commands, conditions, routes
from tests import tiers
from tests.docs.building import PYTHON

ADOPTION = "docs/how-to/terraform-and-bicep.md"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_the_parts_of_the_program(name: str) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")

    assert page == with_parts(page, PAGES[name]), "run scripts/reference.py"


def test_the_reference_leaves_nothing_out() -> None:
    """Every command, route, reason and alert has its place, and a meaning."""
    paths = json.loads((ROOT / "reconciler" / "service" / "http" / "openapi.json").read_text(encoding="utf-8"))["paths"]
    methods = {
        f"## {method.upper()} {path}" for path, each in paths.items() for method in each if method != "parameters"
    }
    rules = json.loads((ROOT / "infra" / "alerts.json").read_text(encoding="utf-8"))["rules"]
    rows = [line.split(" | ") for part in (conditions(), alerts()) for line in part.splitlines()[2:]]

    assert re.findall(r"^## (.+)$", commands(), re.MULTILINE) == list(COMMANDS)
    assert set(re.findall(r"^## .+$", routes(), re.MULTILINE)) == methods
    assert {row[0][3:].partition("]")[0] for row in rows} == REASONS - {"ReconcilerError", "Transient", "Terminal"} | {
        rule["name"] for rule in rules
    }
    assert all(len(row) == 3 and len(row[2].strip(" |")) > 10 for row in rows)


def test_a_part_without_its_marks_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"the marks .* are missing"):
        with_parts("<!-- x: made by scripts/reference.py -->\n", {"x": str})


def test_the_snippets_for_terraform_parse() -> None:
    """And what they ignore are references, as Terraform demands: no text, no wildcard."""
    tiers.require(PYTHON, "the parser of HCL")
    snippets = re.findall(r"```hcl\n(.*?)```", (ROOT / ADOPTION).read_text(encoding="utf-8"), re.DOTALL)
    for snippet in snippets:
        program = "import hcl2, json, sys; print(json.dumps(hcl2.loads(sys.stdin.read())))"
        done = subprocess.run([str(PYTHON), "-c", program], input=snippet, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert '"ignore_changes"' in json.dumps(json.loads(done.stdout))
        ignored = re.findall(r"^      (\S+),$", snippet, re.MULTILINE)
        assert ignored
        assert all(re.fullmatch(r"[a-z]\w*(\.\w+|\[\d+\])*", each) for each in ignored), ignored

    assert len(snippets) == 2
