"""The site is built in strict mode, and its pages load nothing from another host."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from scripts.site import navigation, pages, stage
from tests import tiers
from tests.docs.building import PYTHON, built


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory)


def test_every_page_is_a_file_of_the_site(site: Path) -> None:
    expected = {re.sub(r"(^|/)README\.md$", r"\1index.md", page)[:-3] + ".html" for page in pages(navigation())}

    assert {page for page in expected if not (site / page).is_file()} == set()


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    """It works offline, and tells no other host who reads it."""
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|iframe|source)\b[^>]*\bsrc=[\"']?((?:https?:)?//[^\"' >]+)", text)
        loaded += re.findall(
            r"<link\b[^>]*\brel=[\"']?(?:stylesheet|preconnect|icon)[^>]*href=[\"']?((?:https?:)?//[^\"' >]+)", text
        )
        assert loaded == [], page.relative_to(site)
    for style in site.rglob("*.css"):
        assert not re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", style.read_text(encoding="utf-8")), style.name


@pytest.mark.parametrize("link", ["nowhere.md", "spec.md#no-such-heading"])
def test_a_link_that_leads_nowhere_fails_the_build(tmp_path: Path, link: str) -> None:
    tiers.require(PYTHON, "the builder of the site")
    stage(tmp_path)
    with (tmp_path / "pages" / "docs" / "serve.md").open("a", encoding="utf-8") as page:
        page.write(f"\n[x]({link})\n")
    command = [str(PYTHON.with_name("zensical")), "build", "--strict", "--config-file", "zensical.toml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=500)

    assert done.returncode != 0
    assert "does not exist" in done.stdout + done.stderr
