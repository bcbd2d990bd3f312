"""A process that runs a function app in Microsoft's own Python runtime library, over gRPC. Not a test, not our code's.

The library (azure-functions-runtime) is what the Functions worker of Python 3.13 and newer runs for the v2
programming model; the proxy around it, which speaks gRPC with the host, is not published as a package, so the few
lines of it that a host needs stand here. The protobuf classes come from azure-functions-runtime-v1, where they lie in
a stray top-level package `tests`: they are loaded by path, under another name.

    python worker.py LIBRARY_FOLDER HOST:PORT WORKER_ID
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import queue
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import grpc


def load_protos(library: Path) -> ModuleType:
    """The protobuf package of the Functions RPC, under the name `functions_protos`."""
    if "functions_protos" in sys.modules:
        return sys.modules["functions_protos"]
    folder = library / "tests" / "protos"
    spec = importlib.util.spec_from_file_location(
        "functions_protos", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["functions_protos"] = module
    spec.loader.exec_module(module)
    return module


class _ToHost(logging.Handler):
    """Log records travel as RpcLog, as the proxy sends them."""

    def __init__(self, protos: Any, outgoing: queue.SimpleQueue[Any]) -> None:
        super().__init__()
        self._protos = protos
        self._outgoing = outgoing

    def emit(self, record: logging.LogRecord) -> None:
        log = self._protos.RpcLog(
            level=min(record.levelno // 10, 5), message=self.format(record), category=record.name, log_category=0
        )
        self._outgoing.put(self._protos.StreamingMessage(rpc_log=log))


async def _answer(runtime: Any, protos: Any, message: Any, address: str) -> Any:
    kind = message.WhichOneof("content")
    handlers = {
        "worker_init_request": (runtime.worker_init_request, "worker_init_response"),
        "functions_metadata_request": (runtime.functions_metadata_request, "function_metadata_response"),
        "function_load_request": (runtime.function_load_request, "function_load_response"),
        "invocation_request": (runtime.invocation_request, "invocation_response"),
    }
    handler, field = handlers[kind]
    request = SimpleNamespace(request=message, properties={"host": address.rpartition(":")[0], "protos": protos})
    return protos.StreamingMessage(request_id=message.request_id, **{field: await handler(request)})


def main(library: Path, address: str, worker: str) -> None:
    """Connect to the host and answer until it hangs up."""
    sys.path.insert(0, str(library))
    protos = load_protos(library)
    import azure_functions_runtime as runtime  # noqa: PLC0415 - lies in the folder that was just added

    outgoing: queue.SimpleQueue[Any] = queue.SimpleQueue()
    outgoing.put(protos.StreamingMessage(start_stream=protos.StartStream(worker_id=worker)))
    logging.getLogger().addHandler(_ToHost(protos, outgoing))
    logging.getLogger().setLevel(logging.INFO)
    runtime.start_threadpool_executor()
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    def send() -> Iterator[Any]:
        while True:
            yield outgoing.get()

    async def handle(message: Any) -> None:
        outgoing.put(await _answer(runtime, protos, message, address))

    with grpc.insecure_channel(address) as channel:
        try:
            for message in protos.FunctionRpcStub(channel).EventStream(send()):
                asyncio.run_coroutine_threadsafe(handle(message), loop)
        except grpc.RpcError:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
