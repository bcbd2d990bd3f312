"""The Containerfile: linted, its steps carried out in a clean folder, and its command started in what they left."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emulator import start
from scripts.tracked import ROOT
from tests.packaging.containerfile import Image, steps

TEXT = (ROOT / "Containerfile").read_text(encoding="utf-8")
pytestmark = pytest.mark.timeout(600)  # packages are installed, and their bytecode is compiled
DEMO = ROOT / "reconciler" / "demo" / "files"


def lint(text: str) -> subprocess.CompletedProcess[str]:
    """What hadolint finds."""
    name = shutil.which("hadolint", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    assert name, "hadolint is not installed: make dev"
    return subprocess.run([name, "-"], input=text, capture_output=True, text=True, check=False)


def test_a_linter_finds_nothing() -> None:
    found = lint(TEXT)

    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("FROM ${BASE} AS build", "FROM python:latest AS build", "DL3007"),
        ("WORKDIR /src", "WORKDIR src", "DL3000"),
        ('["serve", "--host", "0.0.0.0"]', "serve --host 0.0.0.0", "DL3025"),
        ("USER 65532:65532", "USER root", "DL3002"),
    ],
)
def test_the_linter_finds_what_is_wrong(old: str, new: str, rule: str) -> None:
    assert old in TEXT
    assert rule in lint(TEXT.replace(old, new)).stdout


def test_nothing_is_installed_without_a_hash() -> None:
    """Each install step takes a lock file with hashes, but for the wheel that was just built from these files."""
    installs = [
        part for step in steps(TEXT) if step.word == "RUN" for part in step.text.split("&&") if "pip install" in part
    ]

    assert len(installs) == 3
    assert [part for part in installs if "--require-hashes" not in part and "/opt/dist/" not in part] == []


def test_it_runs_as_a_user_that_is_not_root_and_is_stopped_by_sigterm() -> None:
    said = {step.word: step.text for step in steps(TEXT)}

    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", said["USER"])
    assert said["STOPSIGNAL"] == "SIGTERM"
    assert "HEALTHCHECK" in said


def test_the_context_holds_what_is_copied_and_no_more() -> None:
    """`.dockerignore` leaves out everything, then lets in what the Containerfile copies."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    admitted = [line[1:] for line in lines if line.startswith("!")]
    copied = {
        word
        for step in steps(TEXT)
        if step.word == "COPY" and "--from" not in step.text
        for word in step.text.split()[:-1]
    }

    assert lines[0] == "*"
    assert {name for name in copied if not any(fnmatch.fnmatch(name, each) for each in admitted)} == set()
    assert {each for each in admitted if not any(fnmatch.fnmatch(name, each) for name in copied)} == set()


@pytest.fixture(scope="module")
def image(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """What the steps left, and like a read-only root: no folder or file outside of the volume can be written."""
    folder = tmp_path_factory.mktemp("container")
    image = Image(folder / "image", sources)
    image.build(TEXT)
    volume = image.root / "state"
    places = [path for path in (image.root, *image.root.rglob("*")) if path != volume and not path.is_symlink()]
    for path in places:
        path.chmod(path.stat().st_mode & ~0o222)
    yield image
    for path in places:
        path.chmod(path.stat().st_mode | 0o200)


def confined(words: list[str]) -> list[str]:
    """Root may write everywhere; without this capability it may not."""
    if os.geteuid():
        return words
    dropped = "-dac_override,-dac_read_search,-fowner"
    return ["setpriv", f"--bounding-set={dropped}", f"--inh-caps={dropped}", *words]


@contextmanager
def running(image: Image, more: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A container that is ready, on any free port, and its URL."""
    words = [*image.command("ENTRYPOINT"), *image.command("CMD"), "--port", "0"]
    process = subprocess.Popen(
        confined(words),
        cwd=image.path("."),
        env=image.started(more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        found = re.search(r"http://[^\s,]+", process.stdout.readline())
        assert found, process.communicate(timeout=500)[1]
        yield process, found[0]
    finally:
        process.kill()
        process.communicate()


def test_the_image_cannot_be_written_but_for_its_volume(image: Image) -> None:
    """What the next test rests on."""
    places = ("opt/new", "opt/reconciler/bin/mdp-reconciler", "opt/reconciler/pyvenv.cfg")
    attempt = ["sh", "-c", " ; ".join(["echo > state/new", "rm state/new", *(f"echo >> {place}" for place in places)])]
    done = subprocess.run(
        confined(attempt), cwd=image.root, env=image.started({}), capture_output=True, text=True, check=False
    )

    assert [line for line in done.stderr.splitlines() if "state/" in line] == []
    assert done.stderr.count("Permission denied") == done.stderr.count("\n") == len(places)


def test_the_container_serves_and_stops_with_a_root_that_cannot_be_written(image: Image) -> None:
    """As `podman run --read-only` starts it: health responds, the check passes, state is in the volume, SIGTERM ends it."""
    before = {path for path in image.root.rglob("*") if "state" not in path.relative_to(image.root).parts[:1]}
    shutil.copytree(DEMO / "specs", image.root / "state" / "specs")
    with start(DEMO / "estate.yaml") as cloud:
        settings = {
            "RECONCILER_SPECS": "specs", "RECONCILER_ALLOW_LOOPBACK": "1", "RECONCILER_CREDENTIAL": "static",
            "RECONCILER_FUNCTION_KEY": "a-key-of-this-test",
            "RECONCILER_ARM_ENDPOINT": cloud.arm, "RECONCILER_DEVOPS_ENDPOINT": cloud.devops,
            "RECONCILER_ARM_TOKEN": cloud.tokens["arm"], "RECONCILER_DEVOPS_TOKEN": cloud.tokens["devops"],
        }  # fmt: skip
        with running(image, settings) as (process, url):
            port = url.rpartition(":")[2]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=30) as response:
                health = json.load(response)
            check = [word.replace("7071", port) for word in image.command("HEALTHCHECK")]
            alive = subprocess.run(confined(check), env=image.started({}), capture_output=True, text=True, check=False)
            process.send_signal(getattr(signal, image.settings["STOPSIGNAL"]))
            _, log = process.communicate(timeout=500)
        gone = subprocess.run(confined(check), env=image.started({}), capture_output=True, text=True, check=False)

    assert health["healthy"] is True, health
    assert (alive.returncode, alive.stderr) == (0, "")
    assert gone.returncode != 0
    assert process.returncode == 0, log
    assert (image.root / "state" / "reconciler.db").exists()
    assert before == {path for path in image.root.rglob("*") if "state" not in path.relative_to(image.root).parts[:1]}
