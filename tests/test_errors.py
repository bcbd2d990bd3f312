"""Two families of errors, by class and by name."""

from __future__ import annotations

import pytest

from reconciler.errors import ReconcilerError, Terminal, Throttled, Transient, family


def _below(kind: type[ReconcilerError]) -> list[type[ReconcilerError]]:
    return [kind, *(one for sub in kind.__subclasses__() for one in _below(sub))]


@pytest.mark.parametrize("kind", [*_below(Transient), *_below(Terminal)])
def test_a_name_leads_to_its_family(kind: type[ReconcilerError]) -> None:
    assert issubclass(kind, family(kind.__name__))


def test_a_name_that_nobody_knows_waits_for_a_person() -> None:
    assert family("Unheard") is Terminal


def test_an_error_carries_its_reason_and_what_the_service_asked_for() -> None:
    error = Throttled("fabrikam-prime: slow down", retry_after=30)

    assert (error.reason, error.retry_after, str(error)) == ("Throttled", 30, "fabrikam-prime: slow down")
