"""`serve`: the functions of the deployment on this machine, without the Functions host.

Everything it needs beside typer is imported when it runs: no other command should wait for a web server.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.codes import DONE, ERROR
from reconciler.cli.selection import file_settings
from reconciler.config import settings
from reconciler.config.endpoints import is_loopback_host
from reconciler.config.settings import PREFIX, Settings, SettingsInvalid, TelemetryKind
from reconciler.errors import Unavailable

if TYPE_CHECKING:
    from reconciler.service.host import host as hosts

Host = Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Address to listen on.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 takes a free one.")]
Workers = Annotated[int, typer.Option("--workers", min=1, max=32, help="Messages worked on at the same time.")]
NoTimers = Annotated[bool, typer.Option("--no-timers", help="Events and HTTP only: no resync, no polling of git.")]


def serve(*, host: Host = "127.0.0.1", port: Port = 7071, workers: Workers = 2, no_timers: NoTimers = False) -> int:
    """Run the triggers on this machine: HTTP, timers, queues. One line says when it is ready; SIGTERM ends it in order.

    Settings are environment variables, or in the file of --env-file. Logs are lines of JSON on standard error. Exit
    code 0 after a stop, 1 where a run did not end in time.
    """
    from reconciler.service.host.bindings import BindingError  # noqa: PLC0415 - see the module's docstring
    from reconciler.service.host.host import ServeOptions  # noqa: PLC0415

    environment = settings.environment()
    beneath = file_settings()
    given = {**beneath, **environment}
    handler = _log(given)
    try:
        served = _host(environment, beneath, ServeOptions(host=host, port=port, workers=workers, timers=not no_timers))
        ended = _run(served)
    except BindingError as error:
        raise SettingsInvalid((str(error),)) from None
    except OSError as error:
        raise Unavailable(f"serve: {host}:{port}: {_why(error)}") from None
    finally:
        logging.getLogger().removeHandler(handler)
    return DONE if ended else ERROR


def _run(served: hosts.Host) -> bool:
    """Serve until a signal; pending telemetry is sent before the process ends."""
    from reconciler.service.host import run  # noqa: PLC0415 - see the module's docstring
    from reconciler.service.triggers import composition  # noqa: PLC0415

    try:
        return run.run(served, lambda url: typer.echo(f"serving {url}, stop with Ctrl-C"))
    finally:
        composition.trigger_context().telemetry.close()


def _why(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno is not None and error.errno > 0 else str(error.strerror or error)


def _host(environment: Mapping[str, str], beneath: Mapping[str, str], options: hosts.ServeOptions) -> hosts.Host:
    """The host, with one context for it and for the functions."""
    from reconciler.config.triggers import Hosting, state  # noqa: PLC0415 - see the module's docstring
    from reconciler.service.host import run  # noqa: PLC0415
    from reconciler.service.triggers import composition  # noqa: PLC0415

    given = {**beneath, **environment}
    triggers = Hosting.read(given)
    if not triggers.function_key and not is_loopback_host(options.host):
        text = (
            f"{PREFIX}FUNCTION_KEY: not set, but --host {options.host} is more than loopback; callers need a key there"
        )
        raise SettingsInvalid((text,))
    chosen = Settings.read(environment, beneath={**state(given), **beneath})
    context = composition.build(chosen, triggers)
    composition.use(context)
    return run.host(triggers, context.queues, replace(options, ids=chosen.telemetry is TelemetryKind.OFF))


def _log(given: Mapping[str, str]) -> logging.Handler:
    from reconciler.config import triggers  # noqa: PLC0415 - see the module's docstring
    from reconciler.service.host.lines import log_to  # noqa: PLC0415

    return log_to((*settings.secrets(given), *triggers.secrets(given)))
