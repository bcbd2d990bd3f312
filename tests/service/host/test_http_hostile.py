"""Requests of pages, scanners and broken clients: each is answered with its status, and none gets in."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

import pytest

from reconciler.adapters.sqlite.store import Local
from reconciler.errors import Unavailable
from reconciler.service.host.entrance import MAX_BODY, Limits
from tests.service.host.raw import Raw, connected, received, sent
from tests.service.host.serving import Serving, hosting, serving
from tests.service.host.test_http import KEY, app

PORT = b"{port}"
OWN = b"127.0.0.1:{port}"
WITH = b"x-functions-key: " + KEY.encode() + b"\r\n"
THING, OPEN, HOOK = b"/api/things/a", b"/api/open", b"/runtime/webhooks/eventgrid/in"
PATHS = {THING: 202, OPEN: 200, b"/api/nothing": 404, b"/sign-in": 303}


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    made = Local(tmp_path_factory.mktemp("hostile") / "state.db")
    yield made
    made.close()


@pytest.fixture(scope="module")
def served(stores: Local) -> Iterator[Serving]:
    toy = app()

    @toy.queue_trigger("message", "%IN%", "STORAGE")
    def heard(message: object) -> None:
        return None

    with serving(hosting(toy, stores, key=KEY, workers=0)) as running:
        yield running


def get(path: bytes, headers: bytes = b"", host: bytes = b"Host: " + OWN + b"\r\n") -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\n" + host + headers + b"\r\n"


def post(path: bytes, headers: bytes = b"", body: bytes = b"", *, length: bool = True) -> bytes:
    size = b"Content-Length: %d\r\n" % len(body) if length else b""
    return b"POST " + path + b" HTTP/1.1\r\nHost: " + OWN + b"\r\n" + size + headers + b"\r\n" + body


def ask(served: Serving, request: bytes) -> Raw:
    port = served.url.rpartition(":")[2].encode()
    answered = sent(served.url, request.replace(b"{port}", port))
    assert KEY.encode() not in answered.body
    assert b"Traceback" not in answered.body
    if answered.kind.startswith("application/problem+json"):
        assert json.loads(answered.body)["status"] == answered.status
    return answered


GOOD_HOSTS = [OWN, b"127.0.0.1", b"localhost:{port}", b"LocalHost", b"localhost.", b"[::1]:{port}", b"127.0.0.2"]
OTHER_HOSTS = [
    b"evil.example", b"evil.example:{port}", b"localhost.evil.example", b"127.0.0.1.evil.example", b"127.1",
    b"0x7f.0.0.1", b"2130706433", b"017700000001", b"169.254.169.254", b"0.0.0.0", b"[::]", b"10.0.0.1:{port}",
    b"[::ffff:10.0.0.1]", b"xn--lcalhost-x4a", b"a" * 300, b"..", b"-",
]  # fmt: skip
NO_HOSTS = [
    b"", b"Host:\r\n", b"Host: localhost\r\nHost: localhost\r\n", b"Host: a b\r\n", b"Host: me@localhost\r\n",
    b"Host: localhost:999999\r\n", b"Host: localhost:\r\n", b"Host: localhost/\r\n", b"Host: \xff\r\n",
    b"Host: [::1\r\n", b"Host: http://localhost\r\n", b"Host: localhost#\r\n", b"Host: localhost, evil\r\n",
]  # fmt: skip
OTHER_ORIGINS = [
    b"http://evil.example", b"https://evil.example", b"null", b"", b"file://", b"http://localhost.evil.example",
    b"http://127.0.0.1:1", b"http://127.0.0.1", b"http://127.0.0.1:{port}.evil.example", b"http://me@127.0.0.1:{port}",
    b"ws://127.0.0.1:{port}", b"http://127.0.0.1:{port}/", b"chrome-extension://abc", b"\xff", b"*",
    b"http://localhost:{port}", b"http://127.0.0.1:{port}, http://evil.example",
]  # fmt: skip
OWN_ORIGINS = [b"http://127.0.0.1:{port}", b"https://127.0.0.1:{port}", b"HTTP://127.0.0.1:{port}"]
OTHER_SITES = [b"cross-site", b"same-site", b"Cross-Site", b"", b"none, cross-site", b"x", b"\xff"]
OWN_SITES = [b"none", b"same-origin", b"Same-Origin"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", GOOD_HOSTS)
def test_a_host_that_is_this_machine_is_served(served: Serving, host: bytes, path: bytes) -> None:
    assert ask(served, get(path, WITH, b"Host: " + host + b"\r\n")).status == PATHS[path]


@pytest.mark.parametrize("headers", [WITH, b""])
@pytest.mark.parametrize("path", [*PATHS, HOOK])
@pytest.mark.parametrize("host", OTHER_HOSTS)
def test_a_name_that_may_resolve_to_here_is_misdirected(
    served: Serving, host: bytes, path: bytes, headers: bytes
) -> None:
    """DNS rebinding: the page of another site calls its own name, which has become this machine's address."""
    assert ask(served, get(path, headers, b"Host: " + host + b"\r\n")).status == 421


@pytest.mark.parametrize("host", NO_HOSTS)
def test_a_request_names_one_host(served: Serving, host: bytes) -> None:
    assert ask(served, get(OPEN, WITH, host)).status == 400


@pytest.mark.parametrize("path", [*PATHS, HOOK])
@pytest.mark.parametrize("origin", OTHER_ORIGINS)
def test_a_page_of_another_site_may_send_nothing(served: Serving, origin: bytes, path: bytes) -> None:
    """With the key as well: a browser would send the cookie of a person who signed in."""
    for request in (get, post):
        assert ask(served, request(path, WITH + b"Origin: " + origin + b"\r\n")).status in (403, 405)
    assert ask(served, get(path, WITH + b"Origin: " + origin + b"\r\n")).status == 403 or path == HOOK


@pytest.mark.parametrize("path", [*PATHS, HOOK])
@pytest.mark.parametrize("site", OTHER_SITES)
def test_what_a_browser_says_another_site_caused_is_refused(served: Serving, site: bytes, path: bytes) -> None:
    assert ask(served, get(path, WITH + b"Sec-Fetch-Site: " + site + b"\r\n")).status in (403, 405)
    assert ask(served, get(OPEN, b"Sec-Fetch-Site: " + site + b"\r\n")).status == 403


@pytest.mark.parametrize("header", [b"Origin: " + one for one in OWN_ORIGINS] + [b"Sec-Fetch-Site: " + one for one in OWN_SITES])  # fmt: skip
def test_our_own_pages_and_typed_addresses_pass(served: Serving, header: bytes) -> None:
    assert ask(served, get(THING, WITH + header + b"\r\n")).status == 202


def test_a_preflight_of_another_site_is_refused(served: Serving) -> None:
    for path in (THING, HOOK):
        request = b"OPTIONS " + path + b" HTTP/1.1\r\nHost: " + OWN + b"\r\nOrigin: http://evil.example\r\n"
        answered = ask(served, request + b"Access-Control-Request-Method: POST\r\n\r\n")
        assert answered.status in (403, 405)


WRONG_KEYS = {
    "none": b"",
    "empty": b"x-functions-key:\r\n",
    "wrong": b"x-functions-key: wrong\r\n",
    "one less": b"x-functions-key: key-canar\r\n",
    "one more": b"x-functions-key: key-canaryy\r\n",
    "in capitals": b"x-functions-key: KEY-CANARY\r\n",
    "no UTF-8": b"x-functions-key: \xff\xfe\r\n",
    "half a character": b"x-functions-key: key-canary\xc3\r\n",
    "a surrogate": b"x-functions-key: \xed\xa0\x80\r\n",
    "long": b"x-functions-key: " + b"k" * 8_000 + b"\r\n",
    "as bearer": b"Authorization: Bearer key-canary\r\n",
    "as basic": b"Authorization: Basic a2V5LWNhbmFyeTo=\r\n",
    "in another header": b"x-functions-keys: key-canary\r\n",
    "as cookie": b"Cookie: mdp-reconciler=key-canary\r\n",
    "a cookie that is no UTF-8": b"Cookie: mdp-reconciler=\xff\r\n",
    "an empty cookie": b"Cookie: mdp-reconciler=\r\n",
    "twice, wrong first": b"x-functions-key: wrong\r\nx-functions-key: key-canary\r\n",
    "sas, wrong": b"aeg-sas-key: \xff\r\n",
    "sas wrong, key right": b"aeg-sas-key: wrong\r\nx-functions-key: key-canary\r\n",
    "a principal": b"X-MS-CLIENT-PRINCIPAL: e30=\r\n",
}
WRONG_CODES = [b"?code=", b"?code=wrong", b"?code=%ff", b"?code=\xff", b"?code=key-canary%00", b"?CODE=key-canary", b"?code=wrong&code=key-canary", b"?x=key-canary"]  # fmt: skip


@pytest.mark.parametrize("name", WRONG_KEYS)
def test_a_wrong_key_is_unauthorized_and_never_a_fault(served: Serving, name: str) -> None:
    for request in (get(THING, WRONG_KEYS[name]), post(THING, WRONG_KEYS[name], b"x"), post(HOOK, WRONG_KEYS[name], b"[]"), get(b"/sign-in", WRONG_KEYS[name])):  # fmt: skip
        assert ask(served, request).status == 401


@pytest.mark.parametrize("code", WRONG_CODES)
def test_a_wrong_code_is_unauthorized(served: Serving, code: bytes) -> None:
    for path in (THING, b"/sign-in"):
        assert ask(served, get(path + code)).status in (400, 401)


@pytest.mark.parametrize(
    "headers", [WITH, b"aeg-sas-key: key-canary\r\n", b"X-FUNCTIONS-KEY: key-canary\r\n", b"x-functions-key:  key-canary \r\n"]
)  # fmt: skip
def test_the_key_opens(served: Serving, headers: bytes) -> None:
    assert ask(served, get(THING, headers)).status == 202


@pytest.mark.parametrize("name", ["X-Own", "traceparent", "tracestate", "User-Agent", "Cookie", "Content-Type", "Accept", "X-MS-Client-Principal", "Idempotency-Key", "X-Hub-Signature-256"])  # fmt: skip
def test_other_headers_may_hold_any_bytes(served: Serving, name: str) -> None:
    assert ask(served, get(THING, WITH + name.encode() + b": \xff\xed\xa0\x80\r\n")).status == 202


@pytest.mark.parametrize("path", [THING + b"?q=%ff", b"/api/things/%ff", b"/api/things/%ed%a0%80", b"/api/things/%00", b"/api/things/%1b[2J"])  # fmt: skip
def test_paths_may_hold_any_bytes(served: Serving, path: bytes) -> None:
    assert ask(served, get(path, WITH)).status in (202, 400, 404)


LARGE = b"Content-Length: %d\r\n" % (MAX_BODY + 1)
BEFORE_THE_BODY = {
    "a large body is announced": post(THING, LARGE, length=False),
    "a body of a terabyte is announced": post(THING, b"Content-Length: 1000000000000\r\n", length=False),
    "a body in chunks is announced": post(THING, b"Transfer-Encoding: chunked\r\n", length=False),
    "a body would follow": post(THING, b"Content-Length: 10\r\nExpect: 100-continue\r\n", length=False),
    "a body would follow for the hook": post(HOOK, b"Content-Length: 10\r\nExpect: 100-continue\r\n", length=False),
    "a compressed body": post(THING, b"Content-Encoding: gzip\r\nContent-Length: 10\r\n", length=False),
}


@pytest.mark.parametrize("name", BEFORE_THE_BODY)
def test_the_key_is_checked_before_the_body_is_read(served: Serving, name: str) -> None:
    """Nothing of the body is ever sent: who waits for it would wait for ever."""
    assert ask(served, BEFORE_THE_BODY[name]).status == 401


BROKEN = {
    "larger than may be": (post(THING, WITH + LARGE, length=False), {413}),
    "larger than may be, for the hook": (post(HOOK, WITH + LARGE, length=False), {413}),
    "larger than may be, in chunks": (
        post(THING, WITH + b"Transfer-Encoding: chunked\r\n", b"110001\r\n" + b"x" * 0x110001 + b"\r\n0\r\n\r\n", length=False),
        {413},
    ),
    "a gzip bomb": (post(THING, WITH + b"Content-Encoding: gzip\r\n", gzip.compress(bytes(64 * 1024 * 1024))), {400, 413}),
    "no gzip": (post(THING, WITH + b"Content-Encoding: gzip\r\n", b"x" * 20), {400}),
    "an expectation that is none": (post(THING, WITH + b"Expect: a-miracle\r\n", b"x"), {202, 417}),
    "a negative length": (post(THING, WITH + b"Content-Length: -1\r\n", length=False), {400}),
    "two lengths": (post(THING, WITH + b"Content-Length: 1\r\nContent-Length: 2\r\n", length=False), {400}),
    "a length and chunks": (post(THING, WITH + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n", length=False), {400}),
    "a length that is no number": (post(THING, WITH + b"Content-Length: x\r\n", length=False), {400}),
    "a chunk without size": (post(THING, WITH + b"Transfer-Encoding: chunked\r\n", b"x\r\n", length=False), {400}),
    "a transfer that is none": (post(THING, WITH + b"Transfer-Encoding: x\r\n", length=False), {400}),
    "a header without end": (get(THING, b"X-Own: " + b"x" * 20_000 + b"\r\n"), {400, 431}),
    "a header without name": (get(THING, b": x\r\n"), {400}),
    "a header in two lines": (get(THING, WITH + b"X-Own: a\r\n b\r\n"), {202, 400}),
    "a NUL in a header": (get(THING, WITH + b"X-Own: a\0b\r\n"), {400}),
    "a line that is too long": (get(b"/" + b"x" * 20_000, WITH), {400, 414}),
    "another protocol": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {0, 400, 505}),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", {0, 400}),
    "no version": (b"GET /api/open\r\n\r\n", {0, 400}),
    "an unknown version": (b"GET /api/open HTTP/9.9\r\nHost: localhost\r\n\r\n", {0, 400, 505}),
    "an unknown method": (b"BREW /api/open HTTP/1.1\r\nHost: localhost\r\n\r\n", {400, 405}),
    "TRACE": (b"TRACE /api/open HTTP/1.1\r\nHost: localhost\r\n\r\n", {405}),
    "CONNECT": (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", {400, 404, 405}),
    "a proxy's request": (get(b"http://evil.example/api/open", WITH), {400}),
    "a proxy's request for here": (get(b"http://localhost/api/open", WITH), {400}),
    "a star": (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", {400, 404, 405}),
    "two slashes": (get(b"//evil.example/api/open", WITH), {400, 404}),
    "dots": (get(b"/api/../api/open", WITH), {200, 404}),
    "HTTP/1.0 without host": (b"GET /api/open HTTP/1.0\r\n\r\n", {400}),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_request_has_its_status(served: Serving, name: str) -> None:
    request, statuses = BROKEN[name]
    assert ask(served, request).status in statuses


DEEP = b"[" * 900 + b"]" * 900
NO_DELIVERIES = {
    "no JSON": (b"{", 400),
    "a number": (b"7", 400),
    "a list of numbers": (b"[1]", 400),
    "no UTF-8": (b"\xff\xfe", 400),
    "nested without end": (b'{"a":' * 100_000, 400),
    "a number without end": (b'[{"a":' + b"1" * 5_000 + b"}]", 400),
    "too many events": (json.dumps([{}] * 1_001).encode(), 413),
    "an event that is too large": (json.dumps([{"a": "x" * 50_000}]).encode(), 413),
    "one of many that is too large": (json.dumps([{}, {}, {"a": "x" * 50_000}]).encode(), 413),
    "a body that is too large": (b" " * (MAX_BODY + 1), 413),
}


@pytest.mark.parametrize("name", NO_DELIVERIES)
def test_what_is_no_delivery_puts_nothing_on_the_queue(served: Serving, stores: Local, name: str) -> None:
    body, status = NO_DELIVERIES[name]
    before = stores.named("in").length()

    assert ask(served, post(HOOK, WITH, body)).status == status
    assert stores.named("in").length() == before


def test_as_many_events_as_may_be_and_odd_ones_arrive(served: Serving, stores: Local) -> None:
    before = stores.named("in").length()
    odd = [{"deep": json.loads(DEEP)}, {"surrogate": "\ud800"}, {"text": "\u202e\x1b[2J\0"}]

    assert ask(served, post(HOOK, WITH, json.dumps([*odd, *[{}] * 997]).encode())).status == 200
    assert stores.named("in").length() == before + 1_000


def test_messages_that_are_put_together_are_there_together_or_not_at_all(stores: Local) -> None:
    """A lone surrogate is no text that SQLite stores: the one before it must not stay."""
    queue = stores.named("together")
    with pytest.raises(Unavailable, match="UnicodeEncodeError"):
        queue.put_all(["first", "\ud800"])
    assert queue.length() == 0
    queue.put_all(["first", "second"])
    queue.put_all([])
    assert sorted(message.text for message in queue.take(5, 60)) == ["first", "second"]


def test_a_caller_that_may_come_is_asked_to_go_on(served: Serving) -> None:
    port = served.url.rpartition(":")[2].encode()
    head = post(THING, WITH + b"Content-Length: 3\r\nExpect: 100-continue\r\n", length=False).replace(b"{port}", port)
    with connected(served.url) as connection:
        connection.sendall(head)
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"xyz")
        answered = received(connection)

    assert (answered.status, b"'body': 3" in answered.body) == (202, True)


def _limited(stores: Local, **limits: float) -> Iterator[Serving]:
    with serving(hosting(app(), stores, key=KEY, workers=0, limits=Limits(**limits))) as running:  # type: ignore[arg-type] # numbers
        yield running


@pytest.mark.parametrize("begun", [b"", b"GET", b"GET /api/open HTTP/1.1\r\nHost: localhost\r\nX-Own: a"])
def test_a_connection_that_sends_no_whole_header_is_ended(stores: Local, begun: bytes) -> None:
    for served in _limited(stores, header_seconds=0.05):
        with connected(served.url) as connection:
            connection.sendall(begun)
            assert received(connection) == Raw(0)


def test_a_body_that_does_not_come_is_given_up(stores: Local) -> None:
    for served in _limited(stores, body_seconds=0.05, header_seconds=0.5):
        head = post(THING, WITH + b"Content-Length: 3\r\n", length=False)
        assert ask(served, head + b"x").status == 408


def test_no_more_bodies_are_read_at_once_than_may_be(stores: Local) -> None:
    for served in _limited(stores, bodies=1):
        port = served.url.rpartition(":")[2].encode()
        head = post(THING, WITH + b"Content-Length: 3\r\nExpect: 100-continue\r\n", length=False)
        with connected(served.url) as slow:
            slow.sendall(head.replace(b"{port}", port))
            assert slow.recv(100).startswith(b"HTTP/1.1 100")
            statuses = {ask(served, post(THING, WITH, b"x")).status for _ in range(5)}
            slow.sendall(b"xyz")
            assert received(slow).status == 202
        assert 503 in statuses
        assert ask(served, post(THING, WITH, b"x")).status == 202


def test_one_connection_too_many_is_refused_and_those_before_are_served(stores: Local) -> None:
    for served in _limited(stores, connections=2):
        request = get(OPEN).replace(b"{port}", served.url.rpartition(":")[2].encode())
        with connected(served.url) as one, connected(served.url) as two:
            for connection in (one, two):
                connection.sendall(request)
                assert received(connection).status == 200
            assert sent(served.url, request).status == 503
            one.sendall(request)
            assert received(one).status == 200


def test_other_addresses_and_named_hosts_are_served_where_more_than_loopback_is_listened_on(stores: Local) -> None:
    """A probe names the container's address; a reverse proxy a name, which has to be allowed."""
    with serving(hosting(app(), stores, key=KEY, workers=0, host="0.0.0.0", names=("Pools.Fabrikam.com",))) as running:
        local = Serving(running.url.replace("0.0.0.0", "127.0.0.1"), running.stop, running.ended)
        found = {
            host: ask(local, get(OPEN, b"", b"Host: " + host + b"\r\n")).status
            for host in (b"10.244.0.7:7071", b"pools.fabrikam.com", b"pools.fabrikam.com:443", b"localhost", b"evil.example")
        }  # fmt: skip

    assert found == {
        b"10.244.0.7:7071": 200,
        b"pools.fabrikam.com": 200,
        b"pools.fabrikam.com:443": 200,
        b"localhost": 200,
        b"evil.example": 421,
    }


def test_a_browser_signs_in_by_the_link_and_its_cookie_is_not_the_key(served: Serving) -> None:
    signed = served.ask("GET", f"/sign-in?code={KEY}")
    cookie = signed.headers["set-cookie"]

    assert (signed.status, signed.headers["location"]) == (303, "/")
    assert (signed.headers["cache-control"], signed.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert KEY not in cookie
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert served.ask("GET", "/api/things/a", Cookie=cookie.partition(";")[0]).status == 202


def test_without_a_key_there_is_nothing_to_sign_in_to(stores: Local) -> None:
    with serving(hosting(app(), stores, workers=0)) as running:
        assert running.ask("GET", "/sign-in?code=").status == 404
        assert ask(running, get(THING, b"", b"Host: evil.example\r\n")).status == 421
        assert ask(running, get(THING, b"Origin: http://evil.example\r\n")).status == 403
        assert ask(running, get(THING, b"x-functions-key: \xff\r\n")).status == 202
