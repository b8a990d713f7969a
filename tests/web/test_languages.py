"""Pages speak English and Spanish: by what the browser prefers, or as the visitor chose."""

import html
import re

import pytest

from directory.language import LANGUAGES
from directory.translations.update import translated
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


PAGES = {
    "home": ("/", "Encuentre a alguien que haga punción seca cerca de usted"),
    "results": ("/search?near=78701", "profesionales de punción seca cerca de 78701 (Austin, TX)"),
    "nothing": ("/search?near=78701&radius=1&q=zzz&insurance=tricare", "Ningún profesional"),
    "unknown": ("/search?near=Nowhereville", "No encontramos ningún lugar llamado «Nowhereville»"),
    "wrong": ("/search?near=78701&radius=x", "debe ser un número"),
    "listing": ("/listings/demo-0001", "Qué significan las credenciales"),
    "compare": ("/compare?id=demo-0001&id=demo-0002", "Seguros que acepta"),
    "report": ("/listings/demo-0001/report", "Avisar de un error"),
    "gone": ("/listings/nobody-there", "No existe esa ficha."),
    "nowhere": ("/nowhere", "No hay nada en esta dirección."),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_in_spanish_has_no_english_left(site: Site, name: str) -> None:
    """No message of the catalog stands there in English, on its own, as seen by a reader."""
    path, says = PAGES[name]
    page = site.get(f"{path}{'&' if '?' in path else '?'}lang=es", accept_language="es")
    text = html.unescape(re.sub(r"<(script|style).*?</\1>", "", page.text, flags=re.DOTALL))
    assert says in " ".join(text.split())
    shown = {" ".join(part.split()) for part in re.split(r"<[^>]*>", text)}
    english = {
        message.id
        for message in translated("es")
        if isinstance(message.id, str) and message.id != message.string and message.id
    }
    assert shown & english - set(LANGUAGES.values()) == set()


def test_the_browser_s_language_is_spoken_unless_another_was_chosen(site: Site) -> None:
    assert '<html lang="es">' in site.get("/", accept_language="es-MX,en;q=0.5").text
    assert '<html lang="es">' in site.get("/", accept_language="ES-MX").text
    assert '<html lang="es">' in site.get("/", accept_language="ES").text
    assert '<html lang="en">' in site.get("/", accept_language="fr,en;q=0.5").text
    assert '<html lang="en">' in site.get("/?lang=en", accept_language="es").text
    problem = site.get("/api/v1/search", accept_language="es", near="Nowhereville").json
    assert problem["title"] == "Lugar desconocido"
