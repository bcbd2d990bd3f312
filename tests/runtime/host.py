"""The host's side of the Functions RPC, as far as a test needs it: index an app, invoke its functions, hear its logs."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping
from concurrent import futures
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc

from tests.runtime.worker import load_protos
from tests.tiers import TOOLS

LIBRARY = TOOLS / "functions-runtime"
"""Microsoft's runtime library of the Functions worker, as the Makefile installs it."""

ANSWER_WITHIN = 300.0
"""Seconds until the host gives up on its worker."""


@dataclass(frozen=True)
class Invoked:
    """What came of an invocation."""

    succeeded: bool
    exception: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """Output binding → value: text, or the list of texts."""
    status: int = 0
    """HTTP status, for an HTTP function."""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class RuntimeHost:
    """A worker process with an app folder, indexed and ready to be invoked."""

    def __init__(
        self, library: Path, app: Path, environment: Mapping[str, str], *, packages: Path | None = None
    ) -> None:
        """`packages`: the app's own, which come before those of this environment."""
        self._protos: Any = load_protos(library)
        self._outgoing: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._waiting: dict[str, queue.SimpleQueue[Any]] = {}
        self._started = threading.Event()
        self._library, self._app, self._environment = library, app, environment
        self._path = str(app) if packages is None else f"{packages}{os.pathsep}{app}"
        self.logs: list[str] = []
        self.functions: dict[str, Any] = {}
        """Name → metadata as indexed."""

    def __enter__(self) -> Self:
        self._server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
        self._protos.add_FunctionRpcServicer_to_server(self, self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        script = Path(__file__).with_name("worker.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script), str(self._library), f"127.0.0.1:{port}", "test-worker"],
            cwd=self._app,
            env={**os.environ, **self._environment, "PYTHONPATH": self._path},
        )
        if not self._started.wait(ANSWER_WITHIN):
            raise TimeoutError("the worker did not connect")
        self._index()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(ANSWER_WITHIN)
        self._server.stop(grace=0).wait()

    def EventStream(self, requests: Iterator[Any], context: Any) -> Iterator[Any]:  # noqa: N802 - the RPC's name
        """The one stream of the protocol: what the worker says is filed, what waits is sent."""
        threading.Thread(target=self._listen, args=(requests,), daemon=True).start()
        while context.is_active():
            try:
                yield self._outgoing_in(0.2)
            except queue.Empty:
                continue

    def _outgoing_in(self, seconds: float) -> Any:
        return self._outgoing.get(timeout=seconds)

    def _listen(self, requests: Iterator[Any]) -> None:
        try:
            for message in requests:
                kind = message.WhichOneof("content")
                if kind == "start_stream":
                    self._started.set()
                elif kind == "rpc_log":
                    self.logs.append(message.rpc_log.message)
                else:
                    self._waiting[message.request_id].put(message)
        except grpc.RpcError:
            return

    def _ask(self, **content: Any) -> Any:
        number = uuid.uuid4().hex
        self._waiting[number] = queue.SimpleQueue()
        self._outgoing.put(self._protos.StreamingMessage(request_id=number, **content))
        return self._waiting[number].get(timeout=ANSWER_WITHIN)

    def _index(self) -> None:
        p = self._protos
        init = self._ask(
            worker_init_request=p.WorkerInitRequest(host_version="4.1", function_app_directory=str(self._app))
        )
        _succeed(init.worker_init_response.result, p)
        indexed = self._ask(
            functions_metadata_request=p.FunctionsMetadataRequest(function_app_directory=str(self._app))
        )
        _succeed(indexed.function_metadata_response.result, p)
        for metadata in indexed.function_metadata_response.function_metadata_results:
            self.functions[metadata.name] = metadata
            loaded = self._ask(
                function_load_request=p.FunctionLoadRequest(function_id=metadata.function_id, metadata=metadata)
            )
            _succeed(loaded.function_load_response.result, p)

    def bindings(self, name: str) -> list[dict[str, Any]]:
        """A function's bindings, as the host would read them."""
        return [json.loads(text) for text in self.functions[name].raw_bindings]

    def invoke(self, name: str, value: Any, metadata: Mapping[str, Any] | None = None) -> Invoked:
        """Invoke with a trigger's typed value (see the methods below)."""
        p = self._protos
        trigger = next(b for b in self.bindings(name) if b["type"].lower().endswith("trigger"))
        request = p.InvocationRequest(
            invocation_id=uuid.uuid4().hex,
            function_id=self.functions[name].function_id,
            input_data=[p.ParameterBinding(name=trigger["name"], data=value)],
            trigger_metadata={key: p.TypedData(json=json.dumps(item)) for key, item in (metadata or {}).items()},
        )
        request.trace_context.trace_parent = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
        return _invoked(self._ask(invocation_request=request).invocation_response, p)

    def queue(self, name: str, text: str, inserted: str, attempts: int = 1) -> Invoked:
        """Invoke a queue function with a message; `inserted` as ISO 8601."""
        metadata = {"Id": "m-1", "DequeueCount": attempts, "InsertionTime": inserted, "PopReceipt": "r"}
        return self.invoke(name, self._protos.TypedData(string=text), metadata)

    def timer(self, name: str) -> Invoked:
        """Invoke a timer function."""
        return self.invoke(name, self._protos.TypedData(json=json.dumps({"IsPastDue": False})))

    def http(self, name: str, method: str, **request: Any) -> Invoked:
        """Invoke an HTTP function; `headers`, `params`, `query`, `body`, `url`."""
        p = self._protos
        body = p.TypedData(bytes=request.pop("body")) if "body" in request else None
        http = p.RpcHttp(method=method, url=request.pop("url", "https://reconciler.test/api"), **request)
        if body is not None:
            http.body.CopyFrom(body)
        return self.invoke(name, p.TypedData(http=http))


def _succeed(result: Any, protos: Any) -> None:
    if result.status != protos.StatusResult.Success:
        raise RuntimeError(f"the worker answered: {result.exception.message}\n{result.exception.stack_trace}")


def _invoked(response: Any, protos: Any) -> Invoked:
    if response.result.status != protos.StatusResult.Success:
        return Invoked(succeeded=False, exception=response.result.exception.message)
    outputs = {output.name: _value(output.data) for output in response.output_data}
    if response.return_value.WhichOneof("data") != "http":
        return Invoked(succeeded=True, outputs=outputs)
    http = response.return_value.http
    return Invoked(
        succeeded=True,
        outputs=outputs,
        status=int(http.status_code),
        body=_value(http.body) or b"",
        headers=dict(http.headers),
    )


def _value(data: Any) -> Any:
    kind = data.WhichOneof("data")
    if kind is None:
        return None
    value = getattr(data, kind)
    return json.loads(value) if kind == "json" else value
