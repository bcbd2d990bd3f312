"""`python -m emulator`: one JSON line when ready, then until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path

from emulator.documents import Json
from emulator.estate import read
from emulator.running import Ports, Service, build
from emulator.switches import TABLE, markdown

EPILOG = """\
examples:
  python -m emulator --estate estate.yaml
  python -m emulator --estate estate.yaml --port-arm 8001 --port-devops 8002 --port-control 8003
  python -m emulator --estate estate.yaml --switch arm.create-seconds=30 --switch devops.write-lag=5

When it is ready it prints one line of JSON with its addresses and the operator's tokens. docs/emulator.md has the rest.
"""


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 after a signal, 1 where it could not start, 2 for wrong arguments."""
    given = _parser().parse_args(arguments)
    if given.list_switches:
        sys.stdout.write((markdown() if given.list_switches == "markdown" else _listed()) + "\n")
        return 0
    try:
        world = build(_document(given.estate), dict(_pair(text) for text in given.switch), name=str(given.estate))
        tls = _tls(given.certificate, given.key)
        service = Service(world, Ports(given.port_arm, given.port_devops, given.port_control), tls)
        return asyncio.run(_run(service))
    except (ValueError, KeyError) as error:
        return _failed(str(error.args[0] if error.args else error))
    except OSError as error:
        return _failed(f"{error.strerror or error}; choose another port or file")


def _listed() -> str:
    return "\n".join(f"{switch.name}={switch.shown}  ({switch.values})  {switch.about}" for switch in TABLE)


def _document(path: Path | None) -> Mapping[str, Json]:
    if path is None:
        raise ValueError("--estate: is missing; give an estate file, docs/emulator.md shows one")
    return read(path)


def _failed(message: str) -> int:
    sys.stderr.write(f"emulator: {message}\n")
    return 1


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--switch {text!r}: give name=value; --list-switches names them")
    return name, value


def _tls(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def _run(service: Service) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    try:
        await service.start()
        sys.stdout.write(json.dumps(service.ready()) + "\n")
        sys.stdout.flush()
        await stop.wait()
    finally:
        await service.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m emulator",
        description="Azure Resource Manager and Azure DevOps on loopback, for Managed DevOps Pools.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--estate", type=Path, metavar="FILE", help="YAML: principals, subscriptions, organizations")
    for plane in ("arm", "devops", "control"):
        parser.add_argument(
            f"--port-{plane}", type=int, default=0, metavar="N", help=f"port of {plane} (default: a free one)"
        )
    parser.add_argument("--switch", action="append", default=[], metavar="NAME=VALUE", help="may be given often")
    parser.add_argument(
        "--list-switches", nargs="?", const="text", choices=("text", "markdown"), help="print every switch and end"
    )
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="PEM; arm and devops then speak https")
    parser.add_argument("--key", type=Path, metavar="FILE", help="PEM of the private key, unless in the same file")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
