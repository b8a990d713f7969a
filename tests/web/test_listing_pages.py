"""What a listing's pages say: as contact, as schema.org data, beside others, and in sitemaps."""

import json
import re
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from directory.listing import Listing
from directory.web.structured import structured
from directory.web.vcard import vcard
from tests.builders import a_listing
from tests.web.conftest import Site

LOC = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"


def addresses(text: str) -> list[str]:
    return [urlsplit(each.text or "").path for each in ElementTree.fromstring(text).iter(LOC)]


def data_of(text: str) -> dict[str, object]:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)
    assert found
    said: dict[str, object] = json.loads(found[1])
    return said


def test_a_listing_tells_search_engines_what_its_page_shows(site: Site) -> None:
    page = site.get("/listings/demo-0001")
    shown = site.get("/api/v1/listings/demo-0001").json
    said = data_of(page.text)
    assert said["telephone"] == shown["phone"]
    assert said["address"]["postalCode"] == shown["address"]["postal_code"]  # type: ignore[index]
    assert '<link rel="canonical" href="http://127.0.0.1:8000/listings/demo-0001">' in page.text
    assert 'hreflang="es"' in page.text


def test_what_is_not_known_is_not_told_to_search_engines() -> None:
    said = structured(a_listing("bob", area_only=True, location=_approximate()))
    assert {"geo", "isAcceptingNewPatients", "paymentAccepted", "telephone"}.isdisjoint(said)
    assert structured(a_listing("bob", accepting="no"))["isAcceptingNewPatients"] is False
    assert "geo" in structured(a_listing("bob"))


def _approximate() -> dict[str, object]:
    return {"lat": 30.27, "lon": -97.74, "precision": "postal_code"}


@pytest.mark.parametrize("clinic", ["A; B, C\\D", "x" * 150, "Núñez " * 20, None])
def test_a_contact_reads_back_as_it_is(clinic: str | None) -> None:
    listing: Listing = a_listing("bob", clinic=clinic and clinic.strip())
    text = vcard(listing)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    lines = text.replace("\r\n ", "").split("\r\n")
    said = dict(line.split(":", 1) for line in lines if ":" in line)
    back = re.sub(r"\\(.)", r"\1", said.get("ORG", ""))
    assert back == (listing.clinic or "")
    assert said["FN"].replace("\\", "") == listing.title
    assert lines[0], lines[-2] == ("BEGIN:VCARD", "END:VCARD")


def test_a_contact_is_a_file_to_save(site: Site) -> None:
    answer = site.get("/listings/demo-0001.vcf")
    assert answer.headers["Content-Type"] == "text/vcard; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert site.get("/listings/nobody-there.vcf").status == 404


def test_up_to_three_are_compared(site: Site) -> None:
    ids = [f"demo-000{n}" for n in range(1, 5)]
    page = site.get("/compare", id=ids[:3])
    assert page.status == 200
    assert all(f"/listings/{id_}" in page.text for id_ in ids[:3])
    assert site.get("/compare", id=ids).status == 400
    assert site.get("/compare").status == 404
    assert site.get("/compare", id=["nobody-there"]).status == 404


def test_the_map_of_the_site_leads_to_every_confirmed_listing_and_city(site: Site) -> None:
    parts = addresses(site.get("/sitemap.xml").text)
    listed = [a for part in parts for a in addresses(site.get(part).text)]
    total = site.api(confirmed="yes")["total"]
    listings = [a for a in listed if a.startswith("/listings/")]
    assert len(listings) == len(set(listings)) == total
    cities = [a for a in listed if a.startswith("/dry-needling/")]
    assert "/dry-needling/tx/austin" in cities
    for address in (*cities[:5], listings[0], listings[-1]):
        assert site.get(address).status == 200
    assert site.get("/sitemap/listings-9.xml").status == 404


def test_a_city_has_a_page_only_where_somebody_is_confirmed(site: Site) -> None:
    page = site.get("/dry-needling/tx/austin")
    assert "near Austin, TX" in page.text
    assert "noindex" not in page.text
    assert 'href="http://127.0.0.1:8000/dry-needling/tx/austin"' in page.text
    assert site.get("/dry-needling/tx/luckenbach").status == 404
    assert site.get("/dry-needling/zz/austin").status == 404
    assert "noindex" in site.get("/search", near="Austin, TX").text


def test_crawlers_are_kept_from_what_people_search_for(site: Site) -> None:
    rules = site.get("/robots.txt").text.splitlines()
    assert {"Disallow: /search", "Disallow: /api/"} <= set(rules)
    assert "Sitemap: http://127.0.0.1:8000/sitemap.xml" in rules
