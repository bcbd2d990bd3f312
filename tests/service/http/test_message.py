"""Bodies are read within limits, and problems are one sentence."""

from __future__ import annotations

import json

import pytest

from reconciler.service.http.message import MAX_BODY, HttpProblem, HttpRequest, HttpResponse, json_body


def test_an_empty_body_is_no_value() -> None:
    assert json_body(HttpRequest("POST", "/", body=b" \n")) is None


def test_any_json_type_is_read() -> None:
    request = HttpRequest("POST", "/", headers={"content-type": "application/vnd.x+json"}, body=b"[1]")

    assert json_body(request) == [1]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"x" * (MAX_BODY + 1), "application/json", 413),
        (b"{}", "text/plain", 415),
        (b"{", "application/json", 400),
        (b"\xff\xfe\xff", "application/json", 400),
    ],
)
def test_a_body_that_cannot_be_read_is_a_problem(body: bytes, kind: str, status: int) -> None:
    with pytest.raises(HttpProblem) as caught:
        json_body(HttpRequest("POST", "/", headers={"content-type": kind}, body=body))

    response = caught.value.response()
    assert (response.status, response.content_type) == (status, "application/problem+json")
    assert json.loads(response.content())["status"] == status


def test_no_body_is_sent_as_nothing() -> None:
    assert HttpResponse(204).content() == b""
