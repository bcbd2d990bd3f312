"""Changes the modules that decide, one place at a time, and asks whether a test notices (`make mutants`).

    python -m scripts.mutants run [GROUP ...] [--jobs N] [--one-of N]   run what has no result yet, or a sample of it
    python -m scripts.mutants survivors [GROUP ...]                     those without a reason, as entries for the list
    python -m scripts.mutants page                                      add the results to docs/reliability.md

`run` ends with 1 where a score is below the bar, or a survivor has no reason, and judges only what it was to run.

mutmut makes and runs the mutants (decision 0224). `tests/mutants.toml` says which modules are changed, which tests
have to notice, and which survivors are known. Each group has a folder in build/mutants; there a run is resumed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.mutant_page import page
from scripts.mutant_scores import FOLDER, KILLED, LIST, RUN, Score, codes_of, explained, read_list, scores
from scripts.tracked import ROOT, git

SOURCE = "reconciler"
TRIALS = ROOT / "scripts" / "mutant_trials.py"
TESTS = "tests.sha256"
"""In the folder of a group: digest of the tests with which its survivors were tried."""
FASTER = ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:unraisableexception"]
"""The last one collects garbage ten times as a process ends, which took more than half of a mutant's time."""


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def prepare(name: str, group: Mapping[str, Any]) -> Path:
    """Bring the group's folder to the present sources and tests; keep results of functions that did not change."""
    folder = FOLDER / name
    tracked = {path for path in git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0") if path}
    tracked = {path for path in tracked if (ROOT / path).is_file()}
    for old in folder.rglob("*") if folder.exists() else ():
        inside = old.relative_to(folder)
        ours = inside.parts[0] in ("mutants", "tmp", RUN, TESTS)
        if old.is_file() and not ours and inside.as_posix() not in tracked:
            old.unlink()
            (folder / "mutants" / inside).unlink(missing_ok=True)
    for path in sorted(tracked - {"pyproject.toml"}):
        target, text = folder / path, (ROOT / path).read_bytes()
        if not target.exists() or target.read_bytes() != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)
    roots = {Path(path).parts[0] for path in tracked}
    _configure(folder, group, sorted(roots - {SOURCE, "tests", "pyproject.toml"}))
    shutil.rmtree(folder / "mutants" / "tests", ignore_errors=True)
    _forget(folder, {path for path in tracked if path.startswith(tuple(group["tests"]))})
    return folder


def _configure(folder: Path, group: Mapping[str, Any], also: Sequence[str]) -> None:
    settings = {
        "source_paths": [SOURCE],
        "only_mutate": list(group["modules"]),
        "also_copy": list(also),
        "pytest_add_cli_args_test_selection": list(group["tests"]),
        "pytest_add_cli_args": [*FASTER, *group.get("options", ["--quick"])],
        "timeout_constant": 8.0,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    switches = ["use_git_change_detection = false", "track_dependencies = false", 'on_dependency_change = "ignore"']
    text = "\n".join(["", "[tool.mutmut]", *lines, *switches, ""])
    known = folder / "pyproject.toml"
    if known.exists() and f"only_mutate = {json.dumps(settings['only_mutate'])}\n" not in known.read_text():
        shutil.rmtree(folder / "mutants", ignore_errors=True)  # mutmut would take a plain copy for a mutated file
    known.write_text((ROOT / "pyproject.toml").read_text() + text)


def _forget(folder: Path, tests: set[str]) -> None:
    """Where a test changed, survivors are tried again, and which test runs which function is found again."""
    for path in (folder / "mutants" / SOURCE).rglob("*.meta"):
        if codes_of(path) is None:  # mutmut was killed while it wrote this
            path.with_suffix("").unlink(missing_ok=True)
            path.unlink()
    digest = hashlib.sha256(b"".join((ROOT / path).read_bytes() for path in sorted(tests))).hexdigest()
    mark = folder / TESTS
    if mark.exists() and mark.read_text() == digest:
        return
    (folder / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)
    for path in (folder / "mutants").rglob("*.meta"):
        meta = json.loads(path.read_text())
        codes = meta["exit_code_by_key"]
        meta["exit_code_by_key"] = {key: code if code in KILLED else None for key, code in codes.items()}
        path.write_text(json.dumps(meta))
    mark.write_text(digest)


def run(names: Sequence[str], jobs: int, one_of: int) -> int:
    """Run the groups, print their scores; 1 where one is below the bar or a survivor has no reason."""
    listed = read_list()
    environment = {**os.environ, "HYPOTHESIS_PROFILE": "mutants"}
    for name in names:
        folder = prepare(name, listed["groups"][name])
        log = folder.with_suffix(".log")
        _say(f"{name}: {len(listed['groups'][name]['modules'])} modules (progress in {log.relative_to(ROOT)})")
        command = [sys.executable, "-P", str(TRIALS), "--jobs", str(jobs), "--one-of", str(one_of)]
        with log.open("w") as output:
            ended = subprocess.run(  # noqa: S603 - mutmut, with our own arguments
                command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False
            )
        if ended.returncode:
            _say(f"{name}: mutmut ended with {ended.returncode}; its last lines are\n{_last_lines(log)}")
            return 1
        for score in scores(FOLDER / name, listed["groups"][name]):
            _say(_line(score))
    return judge([score for name in names for score in scores(FOLDER / name, listed["groups"][name])], listed)


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text().replace("\r", "\n").splitlines()[-30:])


def _line(score: Score) -> str:
    rest = f", {score.untested} without a result" if score.untested else ""
    return f"  {score.module}: {score.percent:.1f} % ({score.killed} of {score.total}{rest})"


def judge(found: Sequence[Score], listed: Mapping[str, Any]) -> int:
    """Print what is wrong, one line each."""
    known = explained(listed)
    total = Score("all", sum(score.killed for score in found), tuple(one for score in found for one in score.survivors))
    _say(_line(total))
    problems = [
        f"{score.module}: {score.untested} mutants have no result; run it again" for score in found if score.untested
    ]
    problems += [
        f"{score.module}: {score.percent:.1f} % is below the bar of {listed['bar']} %: write the missing tests"
        for score in found
        if score.percent < listed["bar"]
    ]
    unknown = [one for one in total.survivors if one not in known]
    problems.extend(f"{one.function}: no test notices {one.change}" for one in dict.fromkeys(unknown))
    if unknown:
        problems.append(
            f"{len(unknown)} survivors without a reason: write a test, or a reason in {LIST.relative_to(ROOT)}"
        )
    _say("\n".join(problems))
    return 1 if problems else 0


def main() -> int:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["run", "survivors", "page"])
    parser.add_argument("groups", nargs="*", help="groups of tests/mutants.toml (default: all)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many mutants run at once")
    parser.add_argument("--one-of", type=int, default=1, help="try one mutant of so many, chosen by its name")
    given = parser.parse_args()
    listed = read_list()
    names = given.groups or list(listed["groups"])
    if unknown := sorted(set(names) - set(listed["groups"])):
        parser.error(
            f"no group {', '.join(unknown)} in {LIST.relative_to(ROOT)}; there are {', '.join(listed['groups'])}"
        )
    if given.command == "run":
        return run(names, given.jobs, given.one_of)
    if given.command == "page":
        page(listed)
        return 0
    known = explained(listed)
    left = dict.fromkeys(
        one for name in names for score in scores(FOLDER / name, listed["groups"][name]) for one in score.survivors
    )
    for one in (one for one in left if one not in known):
        _say(f"[[survivor]]\nfunction = \"{one.function}\"\nchanges = ['''{one.change}''']\nreason = \"\"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
