"""`python -m emulator` as a process of its own: the ready line, signals, and mistakes in one line each."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from emulator.__main__ import main
from tests.emulator.wire import ESTATE
from tests.forking import Process

ROOT = Path(__file__).parents[2]


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    path = tmp_path / "estate.yaml"
    path.write_text(yaml.safe_dump(ESTATE))
    return path


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "emulator", *map(str, arguments)]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), cwd=ROOT, capture_output=True, text=True, timeout=500, check=False)


@contextmanager
def started(*arguments: object) -> Iterator[tuple[dict[str, Any], Process]]:
    """The ready line, and the process; ended by SIGTERM, gracefully."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    with Process(command(*arguments), cwd=ROOT, env=kept, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline()), process
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
            assert process.stdout.read() == "", "one line and no more"


def test_it_says_when_it_is_ready_and_ends_at_sigterm(estate: Path) -> None:
    with started("--estate", estate, "--switch", "arm.page-size=3") as (ready, _):
        assert set(ready) == {"arm", "devops", "identity", "control", "tokens"}
        assert ready["tokens"] == {"arm": "arm-op", "devops": "devops-op"}
        assert all(ready[plane].startswith("http://127.0.0.1:") for plane in ("arm", "devops", "control"))
        assert ready["identity"] == ready["devops"]
        switches = requests.get(f"{ready['control']}/switches", timeout=60).json()["switches"]
        assert {row["value"] for row in switches if row["name"] == "arm.page-size"} == {3}


def test_a_request_under_way_does_not_hold_up_the_end(estate: Path) -> None:
    with started("--estate", estate) as (ready, _):
        url = f"{ready['arm']}/subscriptions?api-version=2022-12-01"
        requests.post(f"{ready['control']}/faults", json={"kind": "timeout-before"}, timeout=60)
        with pytest.raises(requests.Timeout):
            requests.get(url, headers={"Authorization": "Bearer arm-op"}, timeout=0.2)


def test_a_port_that_is_taken_is_told(estate: Path) -> None:
    with started("--estate", estate) as (ready, _):
        port = ready["arm"].rsplit(":", 1)[1]
        second = run("--estate", estate, "--port-arm", port)
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr.startswith("emulator: ")
    assert "choose another port" in second.stderr
    assert second.stderr.count("\n") == 1


def test_with_a_certificate_both_planes_speak_https(estate: Path, tmp_path: Path) -> None:
    """Clients such as az refuse to send a token over http."""
    pem = tmp_path / "pem"
    pem.write_bytes(_certificate())
    with started("--estate", estate, "--certificate", pem) as (ready, _):
        assert ready["arm"].startswith("https://")
        assert ready["control"].startswith("http://")
        url = f"{ready['arm']}/metadata/endpoints?api-version=2022-09-01"
        assert requests.get(url, verify=str(pem), timeout=60).json()["resourceManager"] == ready["arm"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "correct the YAML"),
        ("- 1", "the file is no mapping; it needs principals, subscriptions, organizations"),
        ("pools: []", "pools: not a part of an estate"),
        ("principals: {}", "principals: must be a list"),
        ("principals: [{kind: user}]", "principals[0]: has no name; add `name: …`"),
        ("principals: [{name: a, kind: robot}]", "principals[0].kind: 'robot' is not one of user"),
        ("principals: [{name: a}, {name: a}]", "principals[1].name: 'a' is there twice"),
        ("subscriptions: [{name: x}]", "subscriptions[0]: has no id"),
        ("subscriptions: [{id: x}, {id: X}]", "subscriptions[1].id: X is there twice"),
        ("subscriptions: [{id: x, pools: [{name: p}]}]", "subscriptions[0].pools[0]: needs name and resourceGroup"),
        ("subscriptions: [{id: x, pools: [{name: p, resourceGroup: g}]}]", "pools[0].properties: p has none"),
    ],
)
def test_a_mistake_in_the_estate_is_one_line_with_place_and_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    path = tmp_path / "estate.yaml"
    path.write_text(text)
    assert main(["--estate", str(path)]) == 1
    printed = capsys.readouterr().err
    assert words in printed
    assert printed.startswith(f"emulator: {path}: ")
    assert printed.count("\n") == 1


def test_a_missing_file_and_a_missing_option_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [main(["--estate", str(tmp_path / "none")]), main([])] == [1, 1]
    printed = capsys.readouterr().err
    assert "No such file or directory; give the path" in printed
    assert "--estate: is missing" in printed


@pytest.mark.parametrize(
    ("given", "words"), [("arm.page-sise=1", "did you mean 'arm.page-size'"), ("arm.page-size", "give name=value")]
)
def test_a_wrong_switch_is_told(estate: Path, capsys: pytest.CaptureFixture[str], given: str, words: str) -> None:
    assert main(["--estate", str(estate), "--switch", given]) == 1
    assert words in capsys.readouterr().err


def test_help_and_the_list_of_switches_need_no_estate(capsys: pytest.CaptureFixture[str]) -> None:
    shown = run("--help")
    assert shown.returncode == 0
    assert "examples:" in shown.stdout
    assert main(["--list-switches"]) == 0
    assert "arm.echo-open-access=off  (on | off)" in capsys.readouterr().out


def _certificate() -> bytes:
    """A certificate for 127.0.0.1, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + made.public_bytes(serialization.Encoding.PEM)
