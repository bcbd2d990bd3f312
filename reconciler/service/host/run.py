"""Puts a host together from the settings: the function app of this deployment, on this machine."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.config.triggers import Hosting
from reconciler.ports.stores import MessageQueues
from reconciler.service.host.bindings import read
from reconciler.service.host.host import Host, ServeOptions
from reconciler.service.host.keys import FunctionKey

if TYPE_CHECKING:
    import azure.functions as func

APP = Path(__file__).resolve().parents[3] / "function_app.py"
"""The function app that lies beside the package."""


def host(hosting: Hosting, queues: MessageQueues, options: ServeOptions, path: Path = APP) -> Host:
    """A host for the app; `BindingError` where it cannot be served."""
    key = options.key if options.key.required else FunctionKey.of(hosting.function_key.reveal())
    named = replace(options, key=key, patient=(hosting.sweep_queue,))
    return Host(read(_app(path).get_functions(), hosting.bound), queues, named)


def run(served: Host, ready: Callable[[str], None]) -> bool:
    """Serve until a signal; whether every run ended in time."""
    return asyncio.run(served.serve(ready))


def _app(path: Path) -> func.FunctionApp:
    """The function app, from its file: the package does not import what stands above it."""
    spec = importlib.util.spec_from_file_location("function_app", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module: Any = importlib.util.module_from_spec(spec)
    sys.modules.setdefault("function_app", module)
    spec.loader.exec_module(module)
    app: func.FunctionApp = module.app
    return app
