"""Generated parts of the pages are what the program says, and the snippets for other tools parse."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from scripts.reference import PAGES, ROOT, with_parts
from tests import tiers

PYTHON = tiers.TOOLS / "docs" / "bin" / "python"
ADOPTION = "docs/how-to/terraform-and-bicep.md"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_the_parts_of_the_program(name: str) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")

    assert page == with_parts(page, PAGES[name]), "run scripts/reference.py"


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
