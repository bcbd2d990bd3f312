"""Every command in the documents exists, with the options that it is given; every path and target too.

A page that was right once is the last thing that anybody runs again.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from reconciler.cli.app import COMMANDS, command

ROOT = Path(__file__).parents[2]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for folder in (ROOT, ROOT / "docs", ROOT / "examples")
    for path in sorted(folder.glob("*.md") if folder == ROOT else folder.rglob("*.md"))
    if "decisions" not in path.parts
}


def blocks(text: str, languages: tuple[str, ...] = ("sh", "bash")) -> list[str]:
    """Fenced pieces of shell."""
    return [
        body
        for language, body in re.findall(r"^ *```(\w+)\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
        if language in languages
    ]


def lines(text: str) -> list[str]:
    """Every command line of a page: of its blocks, continued lines put together, and of its code in a sentence."""
    inside = "\n".join(blocks(text)).replace("\\\n", " ").splitlines()
    outside = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [*inside, *(span.replace("\n", " ") for span in re.findall(r"`([^`]+)`", outside))]


def calls(text: str) -> list[tuple[str, list[str]]]:
    """Each call of the program: its command and options."""
    found = []
    for line in lines(text):
        for rest in re.findall(r"(?:-m reconciler|\bmdp-reconciler|^reconciler) +([a-z][^|;&>]*)", line):
            words = shlex.split(rest, comments=True)
            found.append((words[0], [word.partition("=")[0] for word in words if word.startswith("--")]))
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_is_one_of_the_program(page: str) -> None:
    for name, options in calls(PAGES[page]):
        assert name in COMMANDS, name
        taken = {
            option for parameter in command(name).params for option in (*parameter.opts, *parameter.secondary_opts)
        }
        assert set(options) <= taken | {"--help"}, name


def test_calls_are_found_where_people_write_them() -> None:
    """This test's own eyes: a block, a continued line, a sentence."""
    text = "Run `python -m reconciler plan NAME --nope`.\n\n```sh\n.venv/bin/python -m reconciler apply \\\n  --policy p  # x\n```\n"

    assert calls(text) == [("apply", ["--policy"]), ("plan", ["--nope"])]
    assert sum(len(calls(page)) for page in PAGES.values()) > 20


@pytest.mark.parametrize("page", PAGES)
def test_every_piece_of_shell_parses(page: str) -> None:
    for block in blocks(PAGES[page]):
        checked = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False, timeout=500)

        assert checked.stderr == "", block


@pytest.mark.parametrize("page", PAGES)
def test_every_target_of_make_is_there(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = {found[1] for line in lines(PAGES[page]) if (found := re.match(r"make (?:-C \S+ )?([a-z]+)\b", line))}

    assert asked <= targets


@pytest.mark.parametrize("page", PAGES)
def test_every_path_of_the_interface_is_one(page: str) -> None:
    document = json.loads((ROOT / "reconciler" / "service" / "http" / "openapi.json").read_text())
    known = [re.sub(r"\\\{\w+\\\}", r"[^/]+", re.escape(path.removeprefix("/api"))) for path in document["paths"]]
    for path in re.findall(r"/api(/[\w./{}-]+)", "\n".join(lines(PAGES[page]))):
        assert any(re.fullmatch(each, path) for each in known), path


@pytest.mark.parametrize("page", PAGES)
def test_azd_deploys_a_service_that_there_is(page: str) -> None:
    services = yaml.safe_load((ROOT / "azure.yaml").read_text())["services"]
    for line in lines(PAGES[page]):
        assert set(re.findall(r"azd deploy (\w+)", line)) <= set(services), line
