"""What the API answers of an index's document is what it would answer of the listing itself."""

import orjson
from hypothesis import given

from directory.listing import Listing
from directory.search.document import Document, evidence
from directory.search.entry import entry
from directory.whole import whole
from tests.builders import a_listing
from tests.contract.strategies import corpora


@given(corpora())
def test_a_document_is_filled_to_what_its_listing_says(corpus: list[Listing]) -> None:
    for listing in (*corpus, FULL, SPARSE):
        document = orjson.loads(listing.model_dump_json(exclude_defaults=True))
        assert orjson.dumps(whole(document)) == orjson.dumps(listing.model_dump(mode="json"))
        assert evidence(document) == listing.evidence
        kept = Document.unpacked(Document.of(document).packed)
        assert kept == Document.of(document)
        assert kept.listing == listing
        assert (kept.evidence, kept.approximate) == (
            listing.evidence, listing.location.precision.approximate
        )  # fmt: skip
        assert entry(kept.json) == entry(orjson.dumps(document))


FULL = a_listing(
    name={"given": "Ana", "family": "Núñez", "suffix": "Jr"},
    taxonomies=[{"code": "225100000X", "licence_number": "1"}, {"code": "2251X0800X"}],
    certificates=[{"title": "Level 1"}, {"title": "Level 2", "dry_needling": True, "year": 2020}],
    licence_check={"state": "TX", "checked_on": "2026-01-01", "expires_on": "2027-01-01"},
    hours=[{"day": "mo", "opens": "08:00", "closes": "12:00"}],
    first_visit_price={"least": 90, "most": 120},
    dry_needling="yes",
)
SPARSE = a_listing(location={"lat": 1.5, "lon": -2, "precision": "city", "method": "gazetteer"})
