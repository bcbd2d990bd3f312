"""The demo as people run it, without a terminal: it tells the whole story, proves each step, and leaves nothing."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.process import ROOT, Desk
from tests.forking import run
from tests.wording import doubled, identifiers


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk with a folder of its own for what is temporary."""
    return Desk(tmp_path, {"TMPDIR": str(tmp_path)})


def start(desk: Desk, *arguments: str) -> subprocess.Popen[str]:
    """The demo, begun."""
    command = [sys.executable, "-m", "reconciler", "demo", *arguments]
    return subprocess.Popen(
        command,
        cwd=desk.folder,
        env=desk.surroundings(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )


def emulators(folder: Path) -> list[int]:
    """Processes that still hold a file in the folder open, by Linux' own list."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            files = [str(link.readlink()) for link in (process / "fd").iterdir()]
        except OSError:
            continue
        if any(name.startswith(str(folder)) for name in files):
            found.append(int(process.name))
    return found


def test_the_story_is_told_to_its_end_without_a_terminal(desk: Desk) -> None:
    """What `make demo` promises: seven steps, each proven; and a folder as empty as before."""
    process = start(desk)
    out, _ = process.communicate(timeout=500)

    assert process.returncode == 0, out
    assert re.findall(r"^(\d)  ", out, re.MULTILINE) == ["1", "2", "3", "4", "5", "6", "7"]
    assert out.count("  ✓ ") >= 45
    assert len(re.findall(r"✓ open again \d+\.\d s after the", out)) == 2
    assert "✗" not in out
    assert doubled(out) == identifiers(out) == [], "one word for one thing"
    assert "\x1b" not in out
    assert out.splitlines()[-1].startswith("Demo completed, ")
    assert list(desk.folder.iterdir()) == []
    assert emulators(desk.folder) == []


def test_the_readme_shows_the_plan_that_the_demo_shows(desk: Desk) -> None:
    """A picture of a plan that no program makes any more would be a lie."""
    shown = re.search(r"<!-- plan of the demo[^\n]*\n```\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    process = start(desk)
    assert process.stdout
    told = []
    for line in process.stdout:
        told.append(line.rstrip("\n"))
        if line.startswith("  ✓"):
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=500)

    assert shown
    begin = next(index for index, line in enumerate(told) if line.endswith("reconciler --env-file demo.env plan"))
    assert [re.sub(r"@ \w+", "@ 3f2a91c", line) for line in told[begin + 1 : -1]] == shown[1].splitlines()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ended_in_the_middle_it_clears_up(desk: Desk, sent: signal.Signals) -> None:
    """The user stops it early: no process and no folder is left."""
    process = start(desk)
    assert process.stdout
    for line in process.stdout:
        if line.startswith("1  "):
            break
    process.send_signal(sent)
    out, _ = process.communicate(timeout=500)

    assert process.returncode == 130, out
    assert "Traceback" not in out
    assert list(desk.folder.iterdir()) == []
    assert emulators(desk.folder) == []


def play(desk: Desk, *script: str) -> subprocess.CompletedProcess[str]:
    """A process of its own that tells other steps than the demo's."""
    return run(
        [sys.executable, "-c", "import os, signal, sys\nfrom reconciler.demo import command\n" + "\n".join(script)],
        cwd=desk.folder,
        env=desk.surroundings(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=500,
        check=False,
    )


SIGNALLED = (
    "    cast.output.run('plan')",
    "    cast.output.say('told to the end')",
    "try:",
    "    command.perform((step,), keep=False, color=False)",
    "except KeyboardInterrupt:",
    "    sys.exit(130)",
)


def test_a_signal_that_comes_while_a_command_is_forked_ends_it(desk: Desk) -> None:
    """Python would print and drop what a handler raises in a hook of fork; so the signal has to wait until after it."""
    hook = "    os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGTERM))"

    done = play(desk, "def step(cast):", hook, *SIGNALLED)

    assert done.returncode == 130, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "told to the end" not in done.stdout
    assert list(desk.folder.iterdir()) == []
    assert emulators(desk.folder) == []


def test_a_signal_that_python_drops_ends_it_at_the_next_line(desk: Desk) -> None:
    """What a handler raises in a destructor is printed and forgotten; the story must not go on to its end."""
    last = ("class Last:", "    def __del__(self):", "        os.kill(os.getpid(), signal.SIGINT)")

    done = play(desk, *last, "def step(cast):", "    Last()", *SIGNALLED)

    assert done.returncode == 130, done.stdout + done.stderr
    assert "Exception ignored in" in done.stderr
    assert "told to the end" not in done.stdout
    assert list(desk.folder.iterdir()) == []
    assert emulators(desk.folder) == []


def test_a_step_that_does_not_hold_ends_the_story_with_exit_code_1(desk: Desk) -> None:
    """What comes after it would mean anything or nothing, and a pipeline has to notice."""
    broken = (
        "def broken(cast):",
        "    cast.output.heading('1  A step')",
        "    cast.output.check('two is three', 2 == 3, 2)",
        "sys.exit(command.perform((broken,), keep=False, color=False))",
    )

    done = play(desk, *broken)

    assert done.returncode == 1, done.stderr
    assert "  ✗ two is three: found 2" in done.stdout
    assert "Demo failed" in done.stdout
    assert list(desk.folder.iterdir()) == []


def test_kept_it_can_be_played_with(desk: Desk) -> None:
    """The best way to learn it is to break something and to look."""
    done = play(desk, "sys.exit(command.perform((), keep=True, color=False))")

    assert done.returncode == 0, done.stderr
    (folder,) = re.findall(r"^  cd (\S+)$", done.stdout, re.MULTILINE)
    (number,) = re.findall(r"^  kill (\d+) ", done.stdout, re.MULTILINE)
    try:
        ended = Desk(Path(folder)).run("--env-file", "demo.env", "plan", "fabrikam-release-pool")
    finally:
        os.kill(int(number), signal.SIGTERM)

    assert ended.code == 2, ended.err
    assert ended.out.startswith("fabrikam-release-pool @ ")


def test_without_git_the_remedy_is_named(desk: Desk) -> None:
    """The one thing that the demo needs and does not bring."""
    process = run(
        [sys.executable, "-m", "reconciler", "demo"],
        cwd=desk.folder,
        env=desk.surroundings({"PATH": str(desk.folder)}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=500,
        check=False,
    )

    assert process.returncode == 1
    assert process.stderr == "error: Terminal: git: not found; the demo needs the git command\n"
    assert list(desk.folder.iterdir()) == []
