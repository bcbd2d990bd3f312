"""What escapes from a package or from an answer that no one foresaw becomes one error at the port.

An exception that is none of `reconciler.errors` would end the whole command as a bug, with all pools in it, although
it is about one answer of one service. `port` wraps each method that a protocol of `reconciler.ports` names; the error
names the exception's type and where it came from, and nothing of what it says: that may hold parts of answers.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from reconciler.errors import ReconcilerError, Unavailable

T = TypeVar("T", bound=type)

ESCAPED = "could not be processed"
"""In each such error, and in no other."""


@contextmanager
def escapes(where: str) -> Iterator[None]:
    """Turn whatever is no error of ours into `Unavailable`."""
    try:
        yield
    except ReconcilerError:
        raise
    except Exception as error:  # noqa: BLE001 - by construction: packages raise what their authors did not foresee
        raise Unavailable(f"{where}: the answer {ESCAPED} ({_place(error)})") from None


def port(service: str, *implemented: type | str) -> Callable[[T], T]:
    """Guard the methods of the protocols that a class implements, or single methods; `service` begins the error."""
    names = {name for one in implemented for name in ((one,) if isinstance(one, str) else methods(one))}

    def guarded(implementation: T) -> T:
        for name in sorted(names):
            setattr(implementation, name, _guarded(f"{service}: {name}", getattr(implementation, name)))
        return implementation

    return guarded


def methods(protocol: type) -> tuple[str, ...]:
    """Names of the methods of a protocol."""
    return tuple(name for name, value in vars(protocol).items() if callable(value) and not name.startswith("_"))


def _guarded(where: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def each(*args: Any, **options: Any) -> Iterator[Any]:
        with escapes(where):
            yield from method(*args, **options)

    @functools.wraps(method)
    def call(*args: Any, **options: Any) -> Any:
        with escapes(where):
            return method(*args, **options)

    return each if inspect.isgeneratorfunction(method) else call


def _place(error: Exception) -> str:
    """``DeserializationError in _serialization.py``; the innermost frame."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    where = f" in {Path(frame.tb_frame.f_code.co_filename).name}" if frame else ""
    return f"{type(error).__name__}{where}"
