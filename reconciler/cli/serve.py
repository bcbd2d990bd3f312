"""`serve`: the functions of the deployment on this machine, without the Functions host.

Everything it needs beside typer is imported when it runs: no other command should wait for a web server.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from enum import StrEnum
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
NoKey = Annotated[bool, typer.Option("--no-key", help="Require no function key; on loopback only.")]
NewKey = Annotated[bool, typer.Option("--new-key", help="Replace the generated key, and print the new one.")]
AllowHost = Annotated[
    list[str] | None,
    typer.Option("--allow-host", metavar="NAME", help="Host name that requests may use; may be repeated."),
]


def serve(
    *,
    host: Host = "127.0.0.1",
    port: Port = 7071,
    workers: Workers = 2,
    no_timers: NoTimers = False,
    no_key: NoKey = False,
    new_key: NewKey = False,
    allow_host: AllowHost = None,
) -> int:
    """Run the triggers on this machine: HTTP, timers, queues. One line says when it is ready; SIGTERM ends it in order.

    Callers need a function key: RECONCILER_FUNCTION_KEY, or one that the first start generates and prints as a link.
    Settings are environment variables, or in the file of --env-file. Logs are lines of JSON on standard error. Exit
    code 0 after a stop, 1 where a run did not end in time.
    """
    from reconciler.service.host.bindings import BindingError  # noqa: PLC0415 - see the module's docstring
    from reconciler.service.host.host import ServeOptions  # noqa: PLC0415

    environment = settings.environment()
    beneath = file_settings()
    given = {**beneath, **environment}
    with _log(given):
        try:
            options = ServeOptions(
                host=host, port=port, workers=workers, timers=not no_timers, names=tuple(allow_host or ())
            )
            wanted = _keys_wanted(given, host, no_key=no_key, new_key=new_key)
            served, said = _host(environment, beneath, options, wanted)
            ended = _run(served, said)
        except BindingError as error:
            raise SettingsInvalid((str(error),)) from None
        except OSError as error:
            raise Unavailable(f"serve: {host}:{port}: {_why(error)}") from None
    return DONE if ended else ERROR


def _run(served: hosts.Host, said: Callable[[str], str]) -> bool:
    """Serve until a signal; pending telemetry is sent before the process ends."""
    from reconciler.service.host import run  # noqa: PLC0415 - see the module's docstring
    from reconciler.service.triggers import composition  # noqa: PLC0415

    try:
        return run.run(served, lambda url: typer.echo(f"serving {url}, stop with Ctrl-C{said(url)}"))
    finally:
        composition.trigger_context().telemetry.close()


def _why(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno is not None and error.errno > 0 else str(error.strerror or error)


class _Keys(StrEnum):
    """Where the function key comes from."""

    NONE = "none"
    SETTING = "setting"
    STORED = "stored"
    NEW = "new"


def _keys_wanted(given: Mapping[str, str], host: str, *, no_key: bool, new_key: bool) -> _Keys:
    """`SettingsInvalid` where options and settings contradict each other, or callers from elsewhere need no key."""
    from reconciler.config.triggers import Hosting  # noqa: PLC0415 - see the module's docstring

    setting, name = bool(Hosting.read(given).function_key), f"{PREFIX}FUNCTION_KEY"
    if setting and (no_key or new_key):
        raise SettingsInvalid((f"{name}: set, so --{'no' if no_key else 'new'}-key does not apply; leave out one",))
    if no_key and new_key:
        raise SettingsInvalid(("--no-key and --new-key: leave out one",))
    if not setting and not is_loopback_host(host):
        text = f"{name}: not set, but --host {host} is more than loopback; callers need a key there"
        raise SettingsInvalid((text,))
    if setting:
        return _Keys.SETTING
    if no_key:
        return _Keys.NONE
    return _Keys.NEW if new_key else _Keys.STORED


def _host(
    environment: Mapping[str, str], beneath: Mapping[str, str], options: hosts.ServeOptions, wanted: _Keys
) -> tuple[hosts.Host, Callable[[str], str]]:
    """The host, with one context for it and for the functions, and what to print after its first line."""
    from reconciler.config.triggers import Hosting, state  # noqa: PLC0415 - see the module's docstring
    from reconciler.service.host import keys, run  # noqa: PLC0415
    from reconciler.service.host.entrance import SIGN_IN  # noqa: PLC0415
    from reconciler.service.triggers import composition  # noqa: PLC0415

    given = {**beneath, **environment}
    triggers = Hosting.read(given)
    chosen = Settings.read(environment, beneath={**state(given), **beneath})
    context = composition.build(chosen, triggers)
    context = replace(context, options=replace(context.options, serves=True))
    composition.use(context)
    options = replace(options, ids=chosen.telemetry is TelemetryKind.OFF)
    if wanted in (_Keys.NONE, _Keys.SETTING):
        return run.host(triggers, context.queues, options), lambda _: ""
    key = None if wanted is _Keys.NEW else keys.stored(context.state)
    if key is not None:
        served = run.host(triggers, context.queues, replace(options, key=key))
        return served, lambda _: "\nthe key was printed at the first start; --new-key replaces it"
    key, text = keys.made()

    def link(url: str) -> str:
        keys.keep(context.state, key)  # where it is printed, and not before
        return f"\nsign in, printed once: {url}{SIGN_IN}?code={text}"

    return run.host(triggers, context.queues, replace(options, key=key)), link


def _log(given: Mapping[str, str]) -> AbstractContextManager[None]:
    from reconciler.config import triggers  # noqa: PLC0415 - see the module's docstring
    from reconciler.service.host.lines import log_to  # noqa: PLC0415

    return log_to((*settings.secrets(given), *triggers.secrets(given)))
