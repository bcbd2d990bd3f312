"""docs/capabilities.md has every question of the program, says which ones are asked, and shows a file that is one."""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.survey.capabilities import QUESTIONS
from reconciler.survey.capabilities.document import load

PAGE = (Path(__file__).parents[3] / "docs" / "capabilities.md").read_text()


def test_the_page_has_the_questions_of_the_program() -> None:
    section = PAGE.split("<!-- questions -->")[1].split("<!-- /questions -->")[0]
    rows = re.findall(r"^\| (\d+) \| `([\w-]+)` \| ([^|]+) \| [^|]+ \| [^|]+ \|$", section, re.MULTILINE)

    assert [(int(number), name) for number, name, _ in rows] == [(one.number, one.name) for one in QUESTIONS]
    assert [how.strip() != "not asked" for _, _, how in rows] == [one.asked for one in QUESTIONS]


def test_the_file_on_the_page_is_one() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)

    assert load("page", example.encode()).organizations["fabrikam-prime"].word("authorized-list") == "complete"
