"""HTTP as the Functions host does it: routes, keys, limits, and problem+json where no function answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import azure.functions as func
import pytest

from reconciler.adapters.sqlite.store import Local
from reconciler.service.host.entrance import MAX_BODY
from tests.service.host.serving import Answer, Serving, hosting, serving

KEY = "key-canary"


def app() -> func.FunctionApp:
    toy = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)

    @toy.route("api/things/{name}", methods=["GET", "POST"])
    def thing(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        told = {
            "name": req.route_params["name"], "q": req.params.get("q", ""), "method": req.method,
            "body": len(req.get_body()), "trace": context.trace_context.trace_parent, "function": context.function_name,
            "principal": req.headers.get("X-MS-CLIENT-PRINCIPAL", ""), "token": req.headers.get("x-ms-token-aad-id-token", ""),
            "own": req.headers.get("x-own", ""),
        }  # fmt: skip
        return func.HttpResponse(str(told), status_code=202, headers={"X-Told": "yes"}, mimetype="text/plain")

    @toy.route("{home:maxlength(0)?}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    def page(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse("a page")

    @toy.route("api/open", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    def everybody(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse("open")

    @toy.route("api/broken", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    def broken(req: func.HttpRequest) -> func.HttpResponse:
        raise RuntimeError(f"{req.method} canary")

    @toy.route("api/silent", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    def silent(req: func.HttpRequest) -> None:
        return None

    return toy


@pytest.fixture
def served(queues: Local) -> Iterator[Serving]:
    with serving(hosting(app(), queues, key=KEY, workers=0)) as running:
        yield running


def problem(answered: Answer) -> tuple[int, str]:
    assert answered.headers["content-type"].startswith("application/problem+json")
    assert answered.json["status"] == answered.status
    return answered.status, answered.json["detail"]


def test_a_function_gets_the_request_and_its_answer_goes_back(served: Serving) -> None:
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    answered = served.ask("POST", "/api/things/a%20b?q=1", b"xyz", x_functions_key=KEY, x_own="o", traceparent=trace)

    assert (answered.status, answered.headers["x-told"], answered.headers["content-type"]) == (202, "yes", "text/plain")
    assert answered.headers["x-content-type-options"] == "nosniff"
    for told in (
        "'name': 'a b'",
        "'q': '1'",
        "'method': 'POST'",
        "'body': 3",
        "'own': 'o'",
        trace,
        "'function': 'thing'",
    ):
        assert told in answered.body.decode()


def test_a_request_without_a_trace_begins_one(served: Serving) -> None:
    assert "'trace': '00-" in served.ask("GET", f"/api/things/a?code={KEY}").body.decode()


def test_headers_of_the_platform_are_believed_from_nobody(served: Serving) -> None:
    """In Azure the platform replaces them; here nothing stands in front."""
    answered = served.ask(
        "GET", "/api/things/a", x_functions_key=KEY, X_MS_CLIENT_PRINCIPAL="forged", X_MS_TOKEN_AAD_ID_TOKEN="forged"
    )

    assert "forged" not in answered.body.decode()


@pytest.mark.parametrize("path", ["/api/things/a", "/api/things/a?code=wrong", "/api/things/a?code=k%C3%A9y"])
def test_without_the_key_nobody_gets_in(served: Serving, path: str) -> None:
    assert problem(served.ask("GET", path)) == (401, "x-functions-key: missing or wrong")
    assert "the link that serve printed" in problem(served.ask("GET", path, Accept="text/html"))[1]
    assert served.ask("GET", "/api/open").status == 200


def test_a_page_at_the_root_needs_the_key_although_it_needs_none_in_azure(served: Serving) -> None:
    """There the platform signs people in; here the key is what lets anybody in."""
    assert served.ask("GET", "/").status == 401
    assert served.ask("GET", "/", x_functions_key=KEY).body == b"a page"
    assert served.ask("GET", "/api/open").status == 200


def test_without_a_key_in_the_settings_loopback_is_enough(queues: Local) -> None:
    with serving(hosting(app(), queues, workers=0)) as running:
        assert running.ask("GET", "/api/things/a").status == 202


def test_what_no_function_answers_is_a_problem(served: Serving) -> None:
    wrong = served.ask("DELETE", "/api/things/a", x_functions_key=KEY)

    assert problem(served.ask("GET", "/api/nothing"))[0] == 404
    assert (problem(wrong)[0], wrong.headers["allow"]) == (405, "GET,POST")
    assert problem(served.ask("POST", "/api/things/a", b"x" * (MAX_BODY + 1), x_functions_key=KEY))[0] == 413


def test_a_bug_is_a_problem_without_details(served: Serving, caplog: pytest.LogCaptureFixture) -> None:
    assert problem(served.ask("GET", "/api/broken")) == (500, "GET /api/broken: internal error; it is logged")
    assert "RuntimeError" in caplog.text
    assert "GET canary" not in caplog.text
    assert problem(served.ask("GET", "/api/silent")) == (500, "silent: no response")


def test_a_taken_port_is_an_error_and_nothing_has_begun(queues: Local) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with (
            pytest.raises(OSError, match="address already in use"),
            serving(hosting(app(), queues, port=taken.getsockname()[1])),
        ):
            raise AssertionError
