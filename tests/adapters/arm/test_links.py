"""Links that answers and stores name: whatever a link looks like, the token goes to the configured host or nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from reconciler.errors import ReconcilerError, Refused
from tests.adapters.arm.arm_kit import CANARY, POOL_ID, SUB, Kit, pool
from tests.adapters.loopback import Answer, Script, serving

LINKS = (
    "{other}/x",
    "{other}",
    "{other}:80/x",
    "http://{host}@{away}/x",
    "http://me@{host}/x",
    "http://me:pass@{host}/x",
    "http://{host}:pass@{away}/x",
    "http://{away}#@{host}/x",
    "http://{away}?@{host}/x",
    "http://{away}/@{host}/x",
    "http:\\\\{away}/x",
    "http:/\\{away}/x",
    "http://{away}\\@{host}/x",
    "http://{host}\\@{away}/x",
    "\\\\{away}\\x",
    "//{away}/x",
    "///{away}/x",
    "https://{host}/x",
    "https://{away}/x",
    "ftp://{host}/x",
    "file:///etc/passwd",
    "gopher://{away}/x",
    "data:application/json,{{}}",
    "javascript:x",
    "http://{host}.evil.example/x",
    "http://evil.example/{host}/x",
    "http://evil.example:80/x",
    "http://[::1]/x",
    "http://[::ffff:127.0.0.1]/x",
    "http://0x7f000001/x",
    "http://2130706433/x",
    "http://127.1/x",
    "http://0/x",
    "http://localhost./x",
    "http://management.azure.com/x",
    "https://management.azure.com.evil.example/x",
    "https://management.azure.com@evil.example/x",
    "https://management\u3002azure\u3002com/x",
    "https://\uff4danagement.azure.com/x",
    "https://169.254.169.254/metadata/identity/oauth2/token",
    "http://169.254.169.254/metadata/identity/oauth2/token",
    "http:{away}/x",
    "http:///x",
    "http://",
    "HTTP://{away}/x",
    " {other}/x",
    "\t{other}/x",
    "{other}/x\r\nAuthorization: x",
    "http://{host}%2f@{away}/x",
    "http://{host}%00.evil.example/x",
    "http://{host}\u2044@{away}/x",
    "//evil.example/x",
)
"""`host`: the configured one; `other` and `away`: a server beside it, with and without its scheme."""

BELOW = frozenset(
    {
        *("//{away}/x", "///{away}/x", "file:///etc/passwd", "data:application/json,{{}}", "javascript:x"),
        *("http:{away}/x", "http:///x", "http://", "//evil.example/x"),
    }
)
"""Links without a host: they are paths below the configured one."""

Read = Callable[[Script, str], object]


def _list(script: Script, link: str) -> object:
    script.say(Answer(200, {"value": [], "nextLink": link}))
    return Kit(script.url).arm.pools(SUB)


def _second_page(script: Script, link: str) -> object:
    script.say(Answer(200, {"value": [pool()], "nextLink": f"{script.url}/subscriptions/second"}))
    script.say(Answer(200, {"value": [], "nextLink": link}))
    return Kit(script.url).arm.pools(SUB)


def _operation(script: Script, link: str) -> object:
    return Kit(script.url).arm.operation(link)


@pytest.fixture
def script() -> Iterator[Script]:
    with serving() as server:
        yield server


@pytest.fixture
def elsewhere() -> Iterator[Script]:
    with serving() as server:
        yield server


@pytest.mark.parametrize("read", [_list, _second_page, _operation])
@pytest.mark.parametrize("link", LINKS)
def test_a_link_leads_to_the_configured_host_or_nowhere(
    script: Script, elsewhere: Script, link: str, read: Read
) -> None:
    host, away = script.url.removeprefix("http://"), elsewhere.url.removeprefix("http://")

    with pytest.raises(ReconcilerError) as caught:
        read(script, link.format(host=host, other=elsewhere.url, away=away))

    before = 1 if read is _list else 2 if read is _second_page else 0
    assert elsewhere.asked == []
    assert isinstance(caught.value, Refused) is (link not in BELOW)
    assert (len(script.asked) > before) is (link in BELOW)
    assert CANARY not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_pool_of_the_operation_is_not_read_by_a_link(script: Script) -> None:
    """A pool is read by its own route, whatever its document names."""
    script.say(Answer(200, {**pool(), "id": POOL_ID, "nextLink": "http://evil.example", "self": "//evil.example"}))
    Kit(script.url).arm.pool(POOL_ID)

    assert len(script.asked) == 1
