"""Pages speak English and Spanish: by what the browser prefers, or as the visitor chose."""

import re

from tests.web.conftest import Site


def test_a_chosen_language_stays_chosen_from_page_to_page(site: Site) -> None:
    page = site.get("/search", near="78701", lang="es")
    assert '<html lang="es">' in page.text
    assert page.headers["Content-Language"] == "es"
    links = re.findall(r'href="(/(?:search|listings)[^"]*)"', page.text)
    assert links
    assert all("lang=es" in link or "lang=en" in link for link in links)
    assert '<input type="hidden" name="lang" value="es">' in page.text


def test_a_page_without_a_chosen_language_links_to_pages_without_one(site: Site) -> None:
    page = site.get("/search", near="78701")
    assert '<html lang="en">' in page.text
    assert page.text.count("lang=es") == 1  # the switch
    assert "Accept-Language" in page.headers["Vary"]
