"""Start from zero: the command line, the function app and its first invocation, and what is deployed."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks import estates, waves
from benchmarks.measure import LATENCY, Emulated, Row, Table, at_most, emulated, shown, timed

TITLE = "Start from zero"
ROOT = Path(__file__).resolve().parents[1]
PAIRS = 10
PLANS = 5
FIRST = "from reconciler.service.triggers import composition, messages, timers, web; import reconciler.bootstrap as b"
WIRED = (
    "from reconciler.config.settings import Settings\nfrom reconciler.config.triggers import Hosting\n"
    "composition.build(Settings.read(GIVEN), Hosting.read(GIVEN))\n"
)


def run(*, quick: bool = False) -> Table:
    """All figures."""
    loaded = _modules("import function_app") - _modules("import azure.functions")
    rows: tuple[Row, ...] = (
        at_most("modules beyond azure.functions", len(loaded), 5, count=True),
        at_most("modules of ours for --help", len(_ours("--help")), 8, count=True),
        at_most("modules of ours for validate", len(_ours("validate")), 67, count=True),
    )
    if not quick:
        rows += (*_commands(), *_plan(), *_times(), *_package())
    how = (
        f"Command line: CPU (user and system) of `python -m reconciler …` against `python -c pass`, median of {PAIRS} "
        "pairs of processes with bytecode written; `validate` reads one spec. Plan: 5 pools × 40 projects, every "
        f"response 50 ms, the whole process, median of {PLANS}. Function app: median of {PAIRS} cold processes, in "
        "pairs, seconds inside the process. First invocation: the triggers' modules and everything that is wired, "
        "without a call. Package: `make package`."
    )
    return Table(TITLE, how, rows)


def _commands() -> tuple[Row, ...]:
    """CPU of the command line in multiples of an empty interpreter: the same on a fast machine and on a slow one."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pool.json").write_bytes(estates.spec("pool-00-000"))
        calls = {"--help": ["--help"], "validate of one spec": ["validate", "--specs", folder]}
        ratios = {name: _ratio(["-m", "reconciler", *arguments]) for name, arguments in calls.items()}
    return (
        shown("import typer against python -c pass", _ratio(["-c", "import typer"]), "×"),
        at_most("--help against python -c pass", ratios["--help"], 12.0, "×"),
        at_most("validate against python -c pass", ratios["validate of one spec"], 40.0, "×"),
    )


def _ratio(arguments: Sequence[str]) -> float:
    _cpu(arguments)  # writes bytecode
    return median(_cpu(arguments) / _cpu(["-c", "pass"]) for _ in range(PAIRS))


def _cpu(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> float:
    """Seconds of CPU of one process, all its threads together."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, *arguments]
    subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)  # noqa: S603 - this interpreter
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _plan() -> tuple[Row, ...]:
    """A plan as people run it, from the shell: start, reads and output."""
    size = estates.Size(5, 40)
    with tempfile.TemporaryDirectory() as folder, emulated(estates.estate(size), LATENCY) as cloud:
        specs = Path(folder) / "specs"
        specs.mkdir()
        for name, content in estates.specs(size).items():
            (specs / name).write_bytes(content)
        environment = {**os.environ, **cloud.environment(f"{folder}/state.db", str(specs))}
        runs = []
        for _ in range(PLANS + 1):
            cloud.do.reset_log()
            with timed() as wall:
                cpu = _cpu(["-m", "reconciler", "plan"], environment)
            runs.append((wall(), cpu))
        requests = cloud.do.requests()
        sequence = _in_sequence(cloud, environment)
    return (
        at_most("plan: reads", len(requests), 101, count=True),
        at_most("plan: calls in sequence", sequence, 29, count=True),
        shown("plan: round trips", sequence * LATENCY, "s"),
        shown("plan: CPU", median(cpu for _, cpu in runs[1:]), "s"),
        at_most("plan: wall", median(seconds for seconds, _ in runs[1:]), 2.0, "s"),
    )


def _in_sequence(cloud: Emulated, environment: Mapping[str, str]) -> int:
    """Waves of calls of one more plan."""
    cloud.do.latency(0)
    cloud.do.hold(on=True)
    command = [sys.executable, "-m", "reconciler", "plan"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - this interpreter
    with process, waves.counted(cloud, lambda: process.pid) as found:
        assert process.wait(300) == 0
    return len(found)


def _ours(*arguments: str) -> set[str]:
    """Modules of ours that a call of the command line imports."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pool.json").write_bytes(estates.spec("pool-00-000"))
        given = [*arguments, *(["--specs", folder] if arguments[0] == "validate" else [])]
        names = _python(
            f"import io, sys\nfrom contextlib import redirect_stdout\nfrom reconciler.cli import main\n"
            f"with redirect_stdout(io.StringIO()):\n    assert main({given!r}) == 0\nprint(*sys.modules)"
        ).split()
    return {name for name in names if name.startswith("reconciler.")}


def _times() -> tuple[Row, ...]:
    pairs = [(_seconds("import azure.functions"), _seconds("import function_app")) for _ in range(PAIRS)]
    first = median(_first() for _ in range(3))
    alone, ours = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
    return (
        shown("import azure.functions", alone, "s"),
        shown("import function_app", ours, "s"),
        at_most("function_app against azure.functions", ours / alone, 2.0, "×"),
        shown("first invocation: imports and wiring", first, "s"),
        shown("the same, with telemetry to Application Insights", median(_first("azure") for _ in range(3)), "s"),
    )


def _seconds(statement: str, before: str = "") -> float:
    script = f"import time\n{before}\nbegun = time.perf_counter()\n{statement}\nprint(time.perf_counter() - begun)"
    return float(_python(script))


def _first(telemetry: str = "off") -> float:
    with tempfile.TemporaryDirectory() as folder:
        given = {
            "RECONCILER_SPECS": folder,
            "RECONCILER_STATE": f"{folder}/state.db",
            "RECONCILER_CREDENTIAL": "static",
            "RECONCILER_ALLOW_LOOPBACK": "1",
            "RECONCILER_ARM_ENDPOINT": "http://127.0.0.1:9",
            "RECONCILER_DEVOPS_ENDPOINT": "http://127.0.0.1:9",
            "RECONCILER_AUDIT_ENDPOINT": "http://127.0.0.1:9",
            "RECONCILER_ARM_TOKEN": "a",
            "RECONCILER_DEVOPS_TOKEN": "b",
            "RECONCILER_TELEMETRY": telemetry,
            "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=11111111-2222-3333-4444-555555555555;IngestionEndpoint=http://127.0.0.1:9",
        }
        return _seconds(f"{FIRST}\n{WIRED}", f"import function_app\nGIVEN = {given!r}")


def _modules(statement: str) -> set[str]:
    return set(_python(f"{statement}\nimport sys\nprint(*sys.modules)").split())


def _python(script: str) -> str:
    command = [sys.executable, "-c", script]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603 - this interpreter


def _package() -> tuple[Row, ...]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "scripts.package", "--output", f"{folder}/app.zip"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own script
    sizes = re.search(r"([\d.]+) MB, ([\d.]+) MB unpacked", done.stdout)
    if sizes is None:
        return (Row("package", "not built: " + (done.stderr.strip().splitlines() or ["nothing was said"])[-1]),)
    return (Row("package", f"{sizes[1]} MB"), Row("unpacked", f"{sizes[2]} MB"))
