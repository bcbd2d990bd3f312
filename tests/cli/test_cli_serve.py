"""`serve` as a process: real HTTP, real signals, the logs that a collector would get."""

from __future__ import annotations

import json
import re
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from emulator import Running
from tests.cli.process import Desk
from tests.forking import Process

POOL = "fabrikam-managed-pool"
TAILSPIN = "fabrikam-tailspin"


class Serving:
    """A `serve` that is ready."""

    def __init__(self, process: Process) -> None:
        self.process = process
        assert process.stdout
        self.line = process.stdout.readline()
        found = re.search(r"http://\S+(?=,)", self.line)
        assert found, (self.line, process.communicate(timeout=30)[1])
        self.url = found[0]

    def ask(self, path: str, key: str = "") -> tuple[int, dict[str, object]]:
        """Status and JSON of an answer."""
        request = urllib.request.Request(self.url + path, headers={"x-functions-key": key} if key else {})  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)

    def end(self, sent: signal.Signals = signal.SIGTERM) -> tuple[int, list[dict[str, object]]]:
        """Exit code and log lines, each of them JSON."""
        self.process.send_signal(sent)
        _, errors = self.process.communicate(timeout=60)
        return self.process.returncode, [json.loads(line) for line in errors.splitlines()]


@contextmanager
def serving(desk: Desk, *arguments: str, key: bool = False, before: tuple[str, ...] = ()) -> Iterator[Serving]:
    keys = () if key else ("--no-key",)
    process = desk.start(*before, "serve", "--port", "0", *keys, *arguments)
    try:
        yield Serving(process)
    finally:
        process.kill()
        process.communicate()


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Poll until it holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def looked(served: Serving) -> bool:
    """Whether the pool had a run that came to its end."""
    status = served.ask(f"/api/pools/{POOL}")[1]["status"]
    return isinstance(status, dict) and status["lastRun"] is not None


def test_an_event_of_azure_is_repaired_and_told_in_the_log(online: Desk, cloud: Running) -> None:
    """Settings from a file alone: the context of the triggers and the queues of the host are the same."""
    lines = [f"{name}='{value}'" for name, value in online.environment.items() if name.startswith("RECONCILER_")]
    (online.folder / "my.env").write_text("\n".join(lines))
    bare = Desk(online.folder)
    with serving(bare, "--no-timers", before=("--env-file", "my.env")) as served:
        cloud.do.subscribe(f"{served.url}/runtime/webhooks/eventgrid/devops-events", sources=["audit"])
        cloud.do.edit("close-access", organization=TAILSPIN, project="Mobile", pool=POOL)
        until(lambda: looked(served))
        status, pools = served.ask("/api/pools")
        code, log = served.end()

    assert served.line.endswith("stop with Ctrl-C\n")
    assert status == 200
    assert pools["pools"]
    assert code == 0
    runs = [(line["pool"], line["trigger"], line["outcome"]) for line in log if line.get("event") == "run"]
    assert (POOL, "audit") in [run[:2] for run in runs]
    assert all({"at", "level", "logger"} <= line.keys() for line in log)
    assert cloud.tokens["devops"] not in json.dumps(log)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_in_order_whoever_asks(online: Desk, sent: signal.Signals) -> None:
    """A container is stopped by SIGTERM, a person uses Ctrl-C: neither is an error."""
    with serving(online) as served:
        assert served.ask("/api/health")[1]["healthy"] is True
        code, _ = served.end(sent)

    assert code == 0


def test_the_timer_alone_finds_what_nobody_told(online: Desk) -> None:
    """The sweep is what correctness rests on."""
    online.environment |= {
        "RECONCILER_SWEEP_SCHEDULE": "* * * * * *",
        "RECONCILER_SWEEP_SECONDS": "1",
        "RECONCILER_GIT_SCHEDULE": "0 0 0 1 1 *",
    }
    with serving(online) as served:
        until(lambda: looked(served))
        _, log = served.end()

    assert {line["trigger"] for line in log if line.get("event") == "run"} >= {"sweep"}


def test_a_function_key_is_asked_for_where_one_is_set(online: Desk) -> None:
    online.environment["RECONCILER_FUNCTION_KEY"] = "canary-function-key"
    with serving(online, "--host", "0.0.0.0", "--no-timers", key=True) as served:
        without, _ = served.ask("/api/pools")
        given, _ = served.ask("/api/pools", "canary-function-key")
        code, log = served.end()

    assert (without, given, code) == (401, 200, 0)
    assert "canary" not in json.dumps(log)


@pytest.mark.parametrize(
    ("arguments", "settings", "line"),
    [
        (["--host", "0.0.0.0"], {}, "error: RECONCILER_FUNCTION_KEY: not set, but --host 0.0.0.0 is more than loopback"),
        ([], {"RECONCILER_SPECS": ""}, "error: SpecInvalid: RECONCILER_SPECS: not set"),
        ([], {"RECONCILER_SWEEP_SCHEDULE": "often"}, "error: sweep: schedule 'often' is no NCRONTAB expression"),
        ([], {"RECONCILER_WORK_QUEUE": "Work!"}, "error: RECONCILER_WORK_QUEUE: 'Work!' is no queue name"),
        ([], {"RECONCILER_BUDGET": "soon"}, "error: RECONCILER_BUDGET: 'soon' is not a number"),
        (["--workers", "0"], {}, "error: "),
        (["--no-key", "--host", "0.0.0.0"], {}, "error: RECONCILER_FUNCTION_KEY: not set, but --host 0.0.0.0 is more"),
        (["--no-key", "--new-key"], {}, "error: --no-key and --new-key: leave out one"),
        (["--no-key"], {"RECONCILER_FUNCTION_KEY": "x" * 8}, "error: RECONCILER_FUNCTION_KEY: set, so --no-key does not"),
        (["--new-key"], {"RECONCILER_FUNCTION_KEY": "x" * 8}, "error: RECONCILER_FUNCTION_KEY: set, so --new-key does"),
    ],
)  # fmt: skip
def test_what_cannot_be_served_is_one_line(
    online: Desk, arguments: list[str], settings: dict[str, str], line: str
) -> None:
    """Before anything listens."""
    ended = online.run("serve", "--port", "0", *arguments, **settings)

    assert ended.code == 1
    assert ended.out == ""
    assert len(ended.errors) == 1
    assert ended.errors[0].startswith(line)
    assert "Traceback" not in ended.err


def test_a_port_that_is_taken_is_told(online: Desk) -> None:
    with serving(online, "--no-timers") as served:
        port = served.url.rpartition(":")[2]
        ended = online.run("serve", "--port", port)

    assert ended.code == 1
    assert ended.errors == [f"error: Unavailable: serve: 127.0.0.1:{port}: Address already in use"]


def second_line(served: Serving) -> str:
    assert served.process.stdout
    line: str = served.process.stdout.readline()
    return line.strip()


def key_of(line: str) -> str:
    assert line.startswith("sign in, printed once: http://127.0.0.1:")
    return line.partition("/sign-in?code=")[2]


def test_the_first_start_makes_a_key_and_prints_it_once(online: Desk) -> None:
    """Later starts know it by its digest; it stands in no file and in no log."""
    with serving(online, "--no-timers", key=True) as served:
        key = key_of(second_line(served))
        first = [served.ask("/api/pools", given)[0] for given in ("", "wrong", key)]
        health = served.ask("/api/health")[0]
        _, log = served.end()
    with serving(online, "--no-timers", key=True) as served:
        hint = second_line(served)
        again = [served.ask("/api/pools", given)[0] for given in ("", key)]
    with serving(online, "--no-timers", "--new-key", key=True) as served:
        other = key_of(second_line(served))
        renewed = [served.ask("/api/pools", given)[0] for given in (key, other)]

    assert (first, health) == ([401, 401, 200], 200)
    assert (hint, again) == ("the key was printed at the first start; --new-key replaces it", [401, 200])
    assert renewed == [401, 200]
    assert key not in json.dumps(log)
    kept = [file for file in online.folder.rglob("*") if file.is_file()]
    assert kept
    assert not [file for file in kept if key.encode() in file.read_bytes() or other.encode() in file.read_bytes()]


def test_a_key_that_was_never_printed_is_not_kept(online: Desk) -> None:
    """The port was taken, so nothing was printed: the next start makes one."""
    with serving(online, "--no-timers") as served:
        assert online.run("serve", "--port", served.url.rpartition(":")[2]).code == 1
    with serving(online, "--no-timers", key=True) as served:
        assert served.ask("/api/pools", key_of(second_line(served)))[0] == 200


def test_a_name_of_a_reverse_proxy_has_to_be_allowed(online: Desk) -> None:
    def status(served: Serving) -> int:
        request = urllib.request.Request(f"{served.url}/api/health", headers={"Host": "pools.fabrikam.com"})  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code

    with serving(online, "--no-timers") as served:
        refused = status(served)
    with serving(online, "--no-timers", "--allow-host", "pools.fabrikam.com") as served:
        assert (refused, status(served)) == (421, 200)
