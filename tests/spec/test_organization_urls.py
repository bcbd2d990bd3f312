"""URLs that resemble those of an organization: a spec that names one is refused, and no request is made of it."""

from __future__ import annotations

import pytest

from reconciler.adapters.devops.endpoints import Endpoints
from reconciler.errors import ReconcilerError
from reconciler.spec.names import organization_name, organization_of, organization_url

URLS = (
    "http://dev.azure.com/fabrikam",
    "dev.azure.com/fabrikam",
    "//dev.azure.com/fabrikam",
    "https:/dev.azure.com/fabrikam",
    "https:///dev.azure.com/fabrikam",
    "https:\\\\dev.azure.com\\fabrikam",
    "https://dev.azure.com\\fabrikam",
    "https://dev.azure.com",
    "https://dev.azure.com/",
    "https://dev.azure.com//fabrikam",
    "https://dev.azure.com/fabrikam//",
    "https://dev.azure.com/fabrikam/web",
    "https://dev.azure.com/fabrikam/_apis",
    "https://dev.azure.com/fabrikam?x=y",
    "https://dev.azure.com/fabrikam#x",
    "https://dev.azure.com/fabrikam;x",
    "https://dev.azure.com/../fabrikam",
    "https://dev.azure.com/./fabrikam",
    "https://dev.azure.com/fabrikam/..",
    "https://dev.azure.com/%66abrikam",
    "https://dev.azure.com/fabrikam%2f",
    "https://dev.azure.com/fabrikam%00",
    "https://dev.azure.com/fabrikam%0d%0aHost:x",
    "https://dev.azure.com/fabrikam\r\nHost: x",
    "https://dev.azure.com/fabrikam\n",
    "\nhttps://dev.azure.com/fabrikam",
    " https://dev.azure.com/fabrikam",
    "https://dev.azure.com/fabrikam ",
    "https://dev.azure.com/fab rikam",
    "https://dev.azure.com/fab\u00a0rikam",
    "https://dev.azure.com/fabrikam\u200b",
    "https://dev.azure.com/\u202efabrikam",
    "https://dev.azure.com/f\u0430brikam",
    "https://dev.azure.com/fabri\u212aam",
    "https://dev.azure.com/fabr\u0131kam",
    "https://dev.azure.com/\uff46abrikam",
    "https://dev.azure.com/fabrikam\u2044x",
    "https://dev.azure.com:443/fabrikam",
    "https://dev.azure.com:8443/fabrikam",
    "https://dev.azure.com./fabrikam",
    "https://dev.azure.com@evil.example/fabrikam",
    "https://evil.example@dev.azure.com/fabrikam",
    "https://me@dev.azure.com/fabrikam",
    "https://me:pass@dev.azure.com/fabrikam",
    "https://dev.azure.com.evil.example/fabrikam",
    "https://dev-azure.com/fabrikam",
    "https://devXazure.com/fabrikam",
    "https://xdev.azure.com/fabrikam",
    "https://evil.example/dev.azure.com/fabrikam",
    "https://evil.example/?u=https://dev.azure.com/fabrikam",
    "https://evil.example#https://dev.azure.com/fabrikam",
    "https://dev\u3002azure\u3002com/fabrikam",
    "https://\uff44ev.azure.com/fabrikam",
    "https://dev.azur\u0435.com/fabrikam",
    "https://vssps.dev.azure.com/fabrikam",
    "https://vsaex.dev.azure.com/fabrikam",
    "https://dev.azure.us/fabrikam",
    "https://fabrikam.visualstudio.com/web",
    "https://fabrikam.visualstudio.com.evil.example",
    "https://fabrikam.evil.visualstudio.com",
    "https://evil.example/fabrikam.visualstudio.com",
    "https://fabrikam@visualstudio.com",
    "https://visualstudio.com",
    "https://.visualstudio.com",
    "https://fabrikam.visualstudio.com:80",
    "https://f\u0430brikam.visualstudio.com",
    "https://dev.azure.com/-fabrikam",
    "https://dev.azure.com/fabrikam-",
    "https://dev.azure.com/_fabrikam",
    "https://dev.azure.com/fabrikam_prime",
    "https://dev.azure.com/fabrikam.prime",
    f"https://dev.azure.com/{'x' * 51}",
    "https://dev.azure.com/..",
    "https://dev.azure.com/.",
    "ftp://dev.azure.com/fabrikam",
    "file:///dev.azure.com/fabrikam",
    "javascript://dev.azure.com/fabrikam",
    "https://127.0.0.1/fabrikam",
    "https://[::1]/fabrikam",
    "https://169.254.169.254/fabrikam",
    "",
)


@pytest.mark.parametrize("url", URLS)
def test_what_only_resembles_the_url_of_an_organization_names_none(url: str) -> None:
    assert organization_of(url) is None
    assert organization_url(url) is not None
    assert organization_name(url) is not None
    with pytest.raises(ReconcilerError):
        Endpoints("https://dev.azure.com", "https://vssps.dev.azure.com").url(url, "_apis/projects")
