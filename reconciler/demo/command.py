"""`demo`: starts the emulator, runs the steps, cleans up."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from reconciler.adapters.clock import SystemClock
from reconciler.cli.codes import DONE, ERROR
from reconciler.cli.options import NoColor
from reconciler.config.settings import child_environment
from reconciler.demo.emulation import Emulation, root
from reconciler.demo.output import ENV_FILE, Output, StepFailed
from reconciler.demo.process import ENDING, Interruption, Workspace
from reconciler.demo.repository import Repository
from reconciler.demo.scenario import Scenario
from reconciler.demo.story import STEPS, Step

_FILES = Path(__file__).parent / "files"
"""The estate that the emulator starts with, and the specs that the repository starts with."""
SWITCHES = ("arm.update-seconds=3",)
"""Seconds of a long-running operation; `WAIT_ONCE` in the settings is a little longer."""

Keep = Annotated[bool, typer.Option("--keep", help="Keep the emulator and the repository, and print how to continue.")]


def demo(*, keep: Keep = False, no_color: NoColor = False) -> int:
    """Show the main job against the emulator, on this machine alone: no cloud, no account."""
    return perform(STEPS, keep=keep, color=not no_color)


def perform(steps: Sequence[Step], *, keep: bool, color: bool) -> int:
    """Start the emulator, run these steps, clean up; the exit code."""
    clock = SystemClock()
    begun = clock.monotonic()
    with (
        _folder(keep=keep) as folder,
        _interruptible() as interruption,
        _emulation(_FILES / "estate.yaml", folder, keep=keep) as emulation,
    ):
        repository = Repository(folder, _FILES / "specs")
        (folder / ENV_FILE).write_text(_env(emulation), encoding="utf-8")
        place = Workspace(folder, child_environment({"PYTHONPATH": str(root())}), interruption)
        output = Output(place, color=color)
        code = _run_steps(steps, Scenario(output, emulation, repository), folder)
        output.say("")
        output.say(f"{'Demo completed' if code == DONE else 'Demo failed'}, {clock.monotonic() - begun:.0f} s.")
        if keep:
            _show_how_to_continue(output, folder, emulation)
    return code


def _run_steps(steps: Sequence[Step], scenario: Scenario, folder: Path) -> int:
    scenario.output.say("ARM and Azure DevOps are emulated on loopback; specs are in git.", "bold")
    scenario.output.say(f"  settings {folder / ENV_FILE}")
    scenario.output.say(
        f"  ARM {scenario.emulation.arm}   Azure DevOps {scenario.emulation.devops}   specs {folder / 'specs'}"
    )
    try:
        for step in steps:
            step(scenario)
    except StepFailed:
        return ERROR
    return DONE


def _show_how_to_continue(output: Output, folder: Path, emulation: Emulation) -> None:
    output.say("The emulator keeps running. To continue:", "bold")
    for line in (
        f"cd {folder}",
        f"export PYTHONPATH={root()}",
        f"{sys.executable} -m reconciler --env-file {ENV_FILE} plan",
        f"curl -s {emulation.control}/state",
        f"kill {emulation.process.pid} && rm -r {folder}    # to end it",
    ):
        output.say(f"  {line}")


def _env(emulation: Emulation) -> str:
    """Settings for the folder. The tokens are words of the example estate, worth nothing anywhere else."""
    lines = {
        "SPECS": ".#main:specs",
        "STATE": "state.db",
        "ALLOW_LOOPBACK": "1",
        "CREDENTIAL": "static",
        "ARM_ENDPOINT": emulation.arm,
        "DEVOPS_ENDPOINT": emulation.devops,
        "IDENTITY_ENDPOINT": emulation.identity,
        "AUDIT_ENDPOINT": emulation.devops,
        "WAIT_ONCE": "4",
        "ARM_TOKEN": emulation.tokens["arm"],
        "DEVOPS_TOKEN": emulation.tokens["devops"],
    }
    return "".join(f"RECONCILER_{name}='{text}'\n" for name, text in lines.items())


@contextmanager
def _folder(*, keep: bool) -> Iterator[Path]:
    if keep:
        yield Path(tempfile.mkdtemp(prefix="reconciler-demo-"))
        return
    with tempfile.TemporaryDirectory(prefix="reconciler-demo-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@contextmanager
def _emulation(estate: Path, folder: Path, *, keep: bool) -> Iterator[Emulation]:
    """The emulator while the demo runs; it ends with it, also by Ctrl-C or SIGTERM, unless it is kept."""
    emulation = Emulation(estate, folder / "emulator.log", SWITCHES)
    completed = False
    try:
        yield emulation
        completed = True
    finally:
        if not (keep and completed):
            emulation.close()


@contextmanager
def _interruptible() -> Iterator[Interruption]:
    """While it lasts, Ctrl-C and SIGTERM end the demo."""
    interruption = Interruption()
    before = {number: signal.signal(number, interruption.handle) for number in ENDING}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
