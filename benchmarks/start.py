"""Start from zero: what importing the function app costs, what the first invocation adds, and what is deployed."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.measure import Row, Table, at_most, shown

TITLE = "Start from zero"
ROOT = Path(__file__).resolve().parents[1]
PAIRS = 10
FIRST = "from reconciler.service.triggers import composition, messages, timers, web; import reconciler.bootstrap as b"
WIRED = (
    "from reconciler.config.settings import Settings\nfrom reconciler.config.triggers import Hosting\n"
    "composition.build(Settings.read(GIVEN), Hosting.read(GIVEN))\n"
)


def run(*, quick: bool = False) -> Table:
    """All figures."""
    loaded = _modules("import function_app") - _modules("import azure.functions")
    rows: tuple[Row, ...] = (at_most("modules beyond azure.functions", len(loaded), 5, count=True),)
    if not quick:
        rows += (*_times(), *_package())
    how = (
        f"Median of {PAIRS} cold processes, in pairs, seconds inside the process. First invocation: the triggers' "
        "modules and everything that is wired, without a call. Package: `make package`."
    )
    return Table(TITLE, how, rows)


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
        command = [sys.executable, "scripts/package.py", "--output", f"{folder}/app.zip"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own script
    sizes = re.search(r"([\d.]+) MB, ([\d.]+) MB unpacked", done.stdout)
    if sizes is None:
        return (Row("package", "not built: " + (done.stderr.strip().splitlines() or ["nothing was said"])[-1]),)
    return (Row("package", f"{sizes[1]} MB"), Row("unpacked", f"{sizes[2]} MB"))
