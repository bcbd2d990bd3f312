"""Company networks: proxy, certificate authorities and DNS act alike on every transport, and errors name the cause.

The hosts are real names that no test resolves: the proxy leads each of them to a server on loopback.
"""

from __future__ import annotations

import base64
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.adapters import credentials, network
from reconciler.adapters.credentials import DEVOPS
from reconciler.errors import Forbidden, ReconcilerError, Refused, Unavailable
from tests.adapters.company import Authority, proxying
from tests.adapters.loopback import Answer, serving
from tests.adapters.transports import HOSTS, TOKEN, Company, Transport, each

PASSWORD = "canary-password-of-the-proxy"


def failed(transport: Transport, url: str = "") -> str:
    """The one line of a call without a response."""
    with pytest.raises(ReconcilerError) as caught:
        transport.call(url or f"https://{transport.host}")
    text = str(caught.value)
    assert isinstance(caught.value, Unavailable)
    assert "\n" not in text
    assert not {word for word in (TOKEN, PASSWORD, "##[error]", "0x", "HTTPSConnection", "Errno") if word in text}
    return text


@each
def test_a_call_goes_through_the_proxy_and_its_token_through_the_tunnel(transport: Transport, company: Company) -> None:
    """The proxy reads a host's name and nothing else."""
    company.setenv(HTTPS_PROXY=company.proxy.url, REQUESTS_CA_BUNDLE=str(company.authority.file))

    with pytest.raises(Forbidden):
        transport.call(f"https://{transport.host}")

    assert company.tokens() == {f"Bearer {TOKEN}"}
    assert set(company.proxy.hosts) == {f"{transport.host}:443"}
    seen = "".join(company.proxy.heads) + company.proxy.passed.decode("latin-1")
    assert TOKEN not in seen
    assert "authorization" not in seen.lower()


@each
@pytest.mark.parametrize("variable", ["https_proxy", "ALL_PROXY"])
def test_the_other_names_of_the_variable_work_too(transport: Transport, company: Company, variable: str) -> None:
    """And a proxy without a scheme is one over http, as curl has it."""
    company.setenv(**{variable: f"127.0.0.1:{company.proxy.port}"}, REQUESTS_CA_BUNDLE=str(company.authority.file))

    with pytest.raises(Forbidden):
        transport.call(f"https://{transport.host}")

    assert company.tokens() == {f"Bearer {TOKEN}"}
    assert company.proxy.hosts


@each
def test_a_proxy_gets_its_password_and_the_service_does_not(transport: Transport, company: Company) -> None:
    company.proxy.account = f"ann:{PASSWORD}"
    company.setenv(HTTPS_PROXY=company.proxy.url, REQUESTS_CA_BUNDLE=str(company.authority.file))

    with pytest.raises(Forbidden):
        transport.call(f"https://{transport.host}")

    assert company.tokens() == {f"Bearer {TOKEN}"}
    assert not [name for asked in company.service.asked for name in asked.headers if name.lower().startswith("proxy-")]
    assert {len(head.split("Proxy-Authorization: ")) for head in company.proxy.heads} == {2}


@each
@pytest.mark.parametrize(
    ("account", "refusal", "text"),
    [
        ("", 0, "requires a user and password in HTTPS_PROXY (status 407)"),
        ("ann:wrong@", 0, "rejects the user and password of HTTPS_PROXY (status 407)"),
        ("", 403, "no tunnel to {host} (status 403)"),
    ],
)
def test_a_proxy_that_refuses_is_the_named_cause(
    transport: Transport, company: Company, account: str, refusal: int, text: str
) -> None:
    company.proxy.account, company.proxy.refusal = f"ann:{PASSWORD}", refusal
    company.setenv(HTTPS_PROXY=f"http://{account}127.0.0.1:{company.proxy.port}")

    said = failed(transport)

    assert said.endswith(f": proxy 127.0.0.1:{company.proxy.port}: {text.format(host=transport.host)}")
    assert company.service.asked == []


@each
def test_a_proxy_that_cannot_reach_the_host_is_named(transport: Transport, company: Company) -> None:
    """Most proxies answer so where their own DNS does not know the host; a retry may succeed."""
    company.proxy.refusal = 502
    company.setenv(HTTPS_PROXY=company.proxy.url)

    assert failed(transport).endswith(
        f"proxy 127.0.0.1:{company.proxy.port}: no tunnel to {transport.host} (status 502)"
    )
    assert company.service.asked == []


@each
@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("127.0.0.1:{unused}", "no connection to proxy 127.0.0.1:{unused}"),
        ("proxy.invalid:3128", "DNS: no address for proxy proxy.invalid:3128"),
        ("https://ann:canary-password-of-the-proxy@127.0.0.1:{plain}", "TLS with proxy 127.0.0.1:{plain} failed"),
    ],
)
def test_a_proxy_that_is_not_there_is_the_named_cause(
    transport: Transport, company: Company, place: str, text: str
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        ports = {"unused": unused.getsockname()[1], "plain": company.proxy.port}
        company.setenv(HTTPS_PROXY=place.format(**ports))
        said = failed(transport)

    assert text.format(**ports) in said
    assert "HTTPS_PROXY" in said
    assert company.service.asked == []


@each
@pytest.mark.parametrize("exempt", ["{host}", "windows.net,azure.com,github.com", "*"])
def test_a_host_of_no_proxy_is_called_directly(transport: Transport, company: Company, exempt: str) -> None:
    """Shown on the route, since no test calls the real host."""
    company.setenv(HTTPS_PROXY=company.proxy.url, NO_PROXY=exempt.format(host=transport.host))

    assert network.route_to(f"https://{transport.host}/x").proxy == ""
    assert network.route_to("https://elsewhere.example/x").proxy == ("" if exempt == "*" else company.proxy.url)


@each
def test_a_direct_call_never_meets_the_proxy(transport: Transport, company: Company) -> None:
    """Loopback is never proxied, whatever the variables say: the emulator, and the identity endpoint of a host."""
    company.setenv(
        HTTPS_PROXY=company.proxy.url,
        HTTP_PROXY=company.proxy.url,
        ALL_PROXY=company.proxy.url,
        REQUESTS_CA_BUNDLE=str(company.authority.file),
    )

    with pytest.raises(Forbidden):
        transport.call(company.service.url)

    assert company.tokens() == {f"Bearer {TOKEN}"}
    assert company.proxy.heads == []


@each
@pytest.mark.parametrize("variable", network.CA_VARIABLES)
def test_each_variable_names_certificate_authorities(transport: Transport, company: Company, variable: str) -> None:
    company.setenv(**{variable: str(company.authority.file)})

    with pytest.raises(Forbidden):
        transport.call(company.service.url)

    assert company.tokens() == {f"Bearer {TOKEN}"}


@each
@pytest.mark.parametrize("proxied", [True, False])
@pytest.mark.parametrize("bundle", ["none", "another"])
def test_a_certificate_of_an_unknown_authority_is_the_named_cause(
    transport: Transport, company: Company, tmp_path: Path, bundle: str, *, proxied: bool
) -> None:
    if bundle == "another":
        company.setenv(REQUESTS_CA_BUNDLE=str(Authority(tmp_path, "Contoso Root").file))
    if proxied:
        company.setenv(HTTPS_PROXY=company.proxy.url)

    said = failed(transport, "" if proxied else company.service.url)

    host = transport.host if proxied else "127.0.0.1"
    assert f"certificate of {host}: unable to get local issuer certificate; name your network's certificate" in said
    assert said.endswith(" in REQUESTS_CA_BUNDLE")
    assert company.service.asked == []


@each
@pytest.mark.parametrize(
    ("hosts", "expired", "text"),
    [
        (("dev.azure.com.evil.example", "xdev.azure.com"), False, "Hostname mismatch, certificate is not valid for"),
        (("*.azure.com.example",), False, "Hostname mismatch, certificate is not valid for"),
        (HOSTS, True, "certificate has expired"),
    ],
)
def test_a_certificate_of_another_host_or_time_is_the_named_cause(
    transport: Transport, company: Company, hosts: tuple[str, ...], text: str, *, expired: bool
) -> None:
    """Trust in the authority is not enough, and no other authority would help."""
    with serving(company.authority.server(*hosts, expired=expired)) as other, proxying(other.url) as proxy:
        company.setenv(HTTPS_PROXY=proxy.url, REQUESTS_CA_BUNDLE=str(company.authority.file))
        said = failed(transport)

    assert f"certificate of {transport.host}: {text}" in said
    assert "REQUESTS_CA_BUNDLE" not in said
    assert other.asked == []


@each
@pytest.mark.parametrize("exempt", ["", "invalid", "{host}", "elsewhere.example, .invalid"])
def test_a_name_without_an_address_is_the_named_cause(transport: Transport, company: Company, exempt: str) -> None:
    """The top-level domain of RFC 2606 that has no addresses; a proxy is not asked where NO_PROXY names the host."""
    host = f"{transport.name}.invalid"
    if exempt:
        company.setenv(HTTPS_PROXY=company.proxy.url, NO_PROXY=exempt.format(host=host))

    said = failed(transport, f"https://{host}")

    assert said.endswith(f"DNS: no address for {host}; if this network has a proxy, set HTTPS_PROXY")
    assert company.proxy.heads == []


@each
@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"HTTPS_PROXY": f"socks5://ann:{PASSWORD}@127.0.0.1:1080"}, "HTTPS_PROXY: a socks5 proxy is not supported"),
        ({"HTTPS_PROXY": f"http://ann:{PASSWORD}@127.0.0.1:99999"}, "HTTPS_PROXY: not the URL of a proxy"),
        ({"HTTPS_PROXY": f"http://{PASSWORD}@"}, "HTTPS_PROXY: not the URL of a proxy"),
        ({"HTTPS_PROXY": f"http://127.0.0.1:1/?{PASSWORD}"}, "HTTPS_PROXY: not the URL of a proxy"),
        ({"REQUESTS_CA_BUNDLE": "/nowhere/ca.pem"}, "REQUESTS_CA_BUNDLE: /nowhere/ca.pem: No such file or directory"),
        ({"SSL_CERT_FILE": "/nowhere/ca.pem"}, "SSL_CERT_FILE: /nowhere/ca.pem: No such file or directory"),
        ({"REQUESTS_CA_BUNDLE": __file__}, f"REQUESTS_CA_BUNDLE: {__file__}: holds no certificates in PEM form"),
    ],
)
def test_a_wrong_variable_is_one_line_and_no_call(
    transport: Transport, company: Company, variables: Mapping[str, str], text: str
) -> None:
    company.setenv(**variables)

    with pytest.raises(Refused) as caught:
        transport.call(f"https://{transport.host}")

    assert text in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert company.service.asked == []


def test_the_chain_signs_in_through_the_proxy(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """azure-identity by itself would not read SSL_CERT_FILE."""
    given = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "canary-secret"}
    company.setenv(**given, AZURE_TOKEN_CREDENTIALS="EnvironmentCredential")
    with serving(company.authority.server("login.microsoftonline.com")) as entra, proxying(entra.url) as proxy:
        entra.say(*[Answer(400, {"error": "invalid_client"})] * 9)
        company.setenv(HTTPS_PROXY=proxy.url, SSL_CERT_FILE=str(company.authority.file))
        with pytest.raises(Forbidden):
            credentials.default().token_info(DEVOPS)
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(ReconcilerError) as untrusted:
            credentials.default().token_info(DEVOPS)

    assert entra.asked
    assert set(proxy.hosts) == {"login.microsoftonline.com:443"}
    assert b"canary-secret" not in proxy.passed
    assert "canary" not in str(untrusted.value)


def test_a_managed_identity_is_never_asked_for_through_a_proxy(company: Company) -> None:
    """The endpoint of App Service is plain http on the machine itself, and its answer is a token."""
    with serving() as host:
        host.say(*[Answer(200, {"access_token": TOKEN, "expires_on": "4000000000", "token_type": "Bearer"})] * 2)
        company.setenv(
            HTTP_PROXY=company.proxy.url,
            ALL_PROXY=company.proxy.url,
            IDENTITY_ENDPOINT=f"{host.url}/msi/token",
            IDENTITY_HEADER="canary-header",
        )
        held = credentials.managed().token_info(DEVOPS)

    assert held.token == TOKEN
    assert company.proxy.heads == []


@pytest.mark.parametrize("url", ["http://169.254.169.254/metadata", "http://10.0.0.1/", "http://localhost/x"])
def test_plain_http_takes_no_proxy(company: Company, url: str) -> None:
    """A token in a request or an answer over http would be open to the proxy."""
    company.setenv(HTTP_PROXY=company.proxy.url, ALL_PROXY=company.proxy.url, HTTPS_PROXY=company.proxy.url)

    assert network.route_to(url).proxies == {}


def test_the_name_of_a_proxy_holds_no_password(company: Company) -> None:
    word = base64.b64encode(PASSWORD.encode()).decode().rstrip("=")
    company.setenv(HTTPS_PROXY=f"http://ann:{word}@proxy.example:3128")
    route = network.route_to("https://dev.azure.com")

    assert route.proxy_name == "proxy.example:3128"
