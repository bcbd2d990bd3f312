"""docs/deploy.md can be followed as it stands: what differs for each reader is a variable, set before it is used.

A word in capitals or angle brackets within a command would be a placeholder that a reader has to find by himself.
"""

from __future__ import annotations

import re

import pytest

from reconciler.config.settings import PREFIX, VARIABLES
from tests.docs.test_commands import PAGES, ROOT, blocks, lines

PAGE = PAGES["docs/deploy.md"]
GIVEN = {
    "HTTP", "GET", "POST", "SUCCESS",
    "AADSTS65001", "AADSTS650057",  # errors of Entra ID
}  # fmt: skip
NAMES = {
    *re.findall(r"\$\{(\w+)", (ROOT / "infra" / "main.parameters.json").read_text()),
    *re.findall(r"^output (\w+)", (ROOT / "infra" / "main.bicep").read_text(), re.MULTILINE),
    *(f"{PREFIX}{row.name}" for row in VARIABLES),
    "WEBSITE_AUTH_ENABLED",  # of App Service
}


def placeholders(text: str) -> set[str]:
    """Words of commands and code that a reader would have to replace."""
    found: set[str] = set()
    for line in lines(text):
        code = re.sub(r"(^| )#.*", "", line)
        found |= set(re.findall(r"(?<![\w$.-])[A-Z][A-Z0-9_]{1,}(?![\w-])", code)) | set(
            re.findall(r"<\w[\w -]*>", code)
        )
    return found - GIVEN - NAMES


def unset(text: str) -> set[str]:
    """Variables that a page uses before it sets them."""
    known: set[str] = set()
    missing: set[str] = set()
    for line in "\n".join(blocks(text)).replace("\\\n", " ").splitlines():
        code = re.sub(r"(^| )#.*", "", line)
        missing |= set(re.findall(r"\$\{?([a-z]\w*)", code)) - known
        known |= set(re.findall(r"(?:^|\s)([a-z]\w*)=", code))
    return missing


def test_the_page_about_deployment_has_no_placeholder() -> None:
    assert placeholders(PAGE) == set()


def test_every_variable_is_set_before_it_is_used() -> None:
    assert unset(PAGE) == set()


def test_variables_in_sentences_are_set_somewhere() -> None:
    set_in_blocks = set(re.findall(r"(?:^|\s)([a-z]\w*)=", "\n".join(blocks(PAGE)), re.MULTILINE))
    told = set(re.findall(r"`(\w+)=`", PAGE))

    assert {name for line in lines(PAGE) for name in re.findall(r"\$\{?([a-z]\w*)", line)} <= set_in_blocks | told


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("```sh\naz show --name VAULT\n```\n", {"VAULT"}),
        ("see `https://HOST/api` and `<your name>`", {"HOST", "<your name>"}),
        ("```sh\nazd env set MODE enforce  # or REPORT\n```\n", set()),
        ('`curl -X POST "https://$host/"`', set()),
    ],
)
def test_placeholders_are_found_where_people_write_them(text: str, found: set[str]) -> None:
    """This test's own eyes."""
    assert placeholders(text) == found


def test_a_variable_that_is_set_later_is_found() -> None:
    assert unset('```sh\na=1\necho "$a" "$b"\nb=2\n```\n') == {"b"}
