"""Tries the mutants of one group, in the group's folder; `scripts/mutants.py` starts it (decision 0224).

mutmut makes the mutants and finds which test runs which function. Its own runner starts pytest again for each mutant;
here the tests are collected once. A process forked after that runs the tests of the mutant's function, first those that
noticed other mutants of it, then the fastest, and ends with the first that fails.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import math
import os
import resource
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import mutmut.__main__ as mutmut
import pytest
from mutmut.configuration import config
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state
from mutmut.stats import load_stats
from mutmut.utils.file_utils import copy_also_copy_files, copy_src_dir, setup_source_paths
from mutmut.utils.format_utils import mangled_name_from_mutant_name
from mutmut.workers.isolation import get_mutant_runner, run_in_fork

KILLED, SURVIVED, NO_TESTS, TIMEOUT, INTERRUPTED = 1, 0, 33, 36, 2
"""As mutmut stores them."""

MODULES = "modules.json"
SECONDS = 2
"""Of CPU for a mutant, beside twice what its tests took by the clock."""


def make(jobs: int) -> None:
    """The mutated modules, with all their mutants in them; unchanged functions keep their results."""
    set_mutant_under_test("mutant_generation")
    Path("mutants").mkdir(exist_ok=True)
    copy_src_dir()
    copy_also_copy_files()
    setup_source_paths()
    mutmut.create_mutants(jobs)


def _find_tests() -> int:
    """Runs all tests of the group, in a process of its own: what functions remember would hide mutants."""
    Path("mutants", "mutmut-stats.json").unlink(missing_ok=True)
    try:
        mutmut.collect_or_load_stats(get_mutant_runner())
    except (Exception, SystemExit):  # noqa: BLE001 - a forked process has no caller to raise to
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
    Path("mutants", MODULES).write_text(json.dumps(sorted(sys.modules)))
    return 0


def _warm_up() -> None:
    """Load now what the tests load as they run; each mutant would load it again. Not before pytest has its plugins."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in json.loads(Path(MODULES).read_text()):
            if name not in sys.modules and not name.startswith(("reconciler", "tests", "__")):
                try:
                    importlib.import_module(name)
                except ImportError:
                    continue
    hypothesis = importlib.import_module("hypothesis")
    hypothesis.find(hypothesis.strategies.text(), lambda _: True)


def _save(files: Iterable[Any]) -> None:
    for data in files:
        data.save()


class Trials:
    """Takes the place of pytest's loop over the tests, so that everything is collected and nothing was run."""

    def __init__(self, jobs: int, one_of: int) -> None:
        self.jobs = jobs
        self.one_of = one_of
        self.running: dict[int, tuple[Any, str, float]] = {}
        self.done = 0
        self.child = False
        self.now = ""
        self.noticed: Counter[tuple[str, str]] = Counter()
        self.said, self.tell = os.pipe()
        os.set_blocking(self.said, False)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Each mutant without a result, those with the fastest tests first."""
        _warm_up()
        os.chdir("..")
        mutants, _ = mutmut.collect_source_file_mutation_data(mutant_names=())
        os.chdir("mutants")
        wanted = {
            name for _, name, _ in mutants if not int(hashlib.sha256(name.encode()).hexdigest(), 16) % self.one_of
        }
        Path("..", "run.json").write_text(json.dumps({"one_of": self.one_of, "mutants": sorted(wanted)}))
        missing = [
            (*self._tests(name), name, data)
            for data, name, code in mutants
            if code in (None, INTERRUPTED) and name in wanted
        ]
        files = {id(data): data for data, _, _ in mutants}.values()
        for data in files:
            data.meta_path = Path("..") / data.meta_path
        items = {item.nodeid: item for item in session.items}
        session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # noqa: SLF001 - before processes fork
        try:
            for seconds, tests, name, data in sorted(missing, key=lambda one: (one[0], one[2])):
                while len(self.running) >= self.jobs:
                    self._wait()
                if not (found := [items[test] for test in self._likely(name, tests) if test in items]):
                    self._store(data, name, NO_TESTS)
                    continue
                limit = math.ceil(SECONDS + 2 * seconds)
                pid = os.fork()
                if not pid:
                    self.child = True
                    self._try(session, name, found, limit)
                self.running[pid] = (data, name, time.monotonic())
                if self.done % 50 == 0:
                    _save(files)
                    self._say(f"{self.done} of {len(missing)}")
            while self.running:
                self._wait()
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            self._say(f"{self.done} in {used.ru_utime + used.ru_stime:.1f} s of CPU")
        finally:
            for pid in self.running:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            _save(files)
        return True

    @staticmethod
    def _say(text: str) -> None:
        if sys.__stdout__:
            sys.__stdout__.write(f"{text}\n")
            sys.__stdout__.flush()

    @staticmethod
    def _tests(name: str) -> tuple[float, Sequence[str]]:
        durations: Mapping[str, float] = state().duration_by_test
        tests = state().tests_by_mangled_function_name.get(mangled_name_from_mutant_name(name), set())
        return sum(durations[test] for test in tests), sorted(tests, key=lambda test: (durations[test], test))

    def _likely(self, name: str, tests: Sequence[str]) -> Sequence[str]:
        """First what noticed other mutants of the function, for each second that it takes."""
        try:
            lines = os.read(self.said, 1 << 20).decode().splitlines()
        except BlockingIOError:
            lines = []
        self.noticed.update((function, test) for function, _, test in (line.partition(" ") for line in lines))
        function, durations = mangled_name_from_mutant_name(name), state().duration_by_test
        return sorted(tests, key=lambda test: -self.noticed[function, test] / (durations[test] + 0.01))

    def _try(self, session: pytest.Session, name: str, items: Sequence[pytest.Item], limit: int) -> None:
        """In the forked process, which ends here. Its limit is of CPU; the other is for one that waits for nothing."""
        code = KILLED
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(60 + 20 * limit)
            set_mutant_under_test(name)
            for item, following in zip(items, [*items[1:], None], strict=True):
                self.now = f"{mangled_name_from_mutant_name(name)} {item.nodeid}\n"
                session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.testsfailed:
                    os._exit(KILLED)
            code = SURVIVED
        except KeyboardInterrupt:
            code = INTERRUPTED
        finally:
            os._exit(code)

    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """A failure is known here, before pytest describes it at length."""
        if self.child and call.excinfo and not call.excinfo.errisinstance(pytest.skip.Exception):
            interrupted = call.excinfo.errisinstance(KeyboardInterrupt)
            os.write(self.tell, self.now.encode())
            os._exit(INTERRUPTED if interrupted else KILLED)

    def _wait(self) -> None:
        pid, status = os.wait()
        data, name, started = self.running.pop(pid)
        code = os.waitstatus_to_exitcode(status)
        data.durations_by_key[name] = time.monotonic() - started
        self._store(data, name, TIMEOUT if code in (-signal.SIGXCPU, -signal.SIGALRM, -signal.SIGKILL) else code)

    def _store(self, data: Any, name: str, code: int) -> None:
        data.exit_code_by_key[name] = code
        self.done += 1


def main() -> int:
    """Make the mutants, find their tests, try them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, required=True)
    parser.add_argument("--one-of", type=int, required=True)
    given = parser.parse_args()
    make(given.jobs)
    if run_in_fork(_find_tests):
        sys.stdout.write("the tests do not pass without a mutant\n")
        return 1
    load_stats()
    settings = config()
    os.chdir("mutants")
    set_mutant_under_test("")
    choice = [*settings.pytest_add_cli_args_test_selection, *settings.pytest_add_cli_args]
    return int(
        pytest.main(
            ["--rootdir=.", "--tb=no", "-q", "--capture=sys", "--basetemp=../tmp", *choice],
            plugins=[Trials(given.jobs, given.one_of)],
        )
    )


if __name__ == "__main__":
    sys.exit(main())
