"""Whoever types what to whatever reads it: an answer or the declared refusal, and soon.

100 kB that make a careless pattern go back and forth take it minutes or worse; what is linear takes
milliseconds. Two seconds are allowed, as the machine is shared.
"""

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from directory import fields
from directory.fhir import values
from directory.hours import hours_of
from directory.mail.address import is_address
from directory.partner import origin_of
from directory.places.place import coordinates
from directory.places.street import street_of
from directory.search.cursor import Cursors, InvalidCursor
from directory.search.query import InvalidQuery, SearchQuery, parse
from directory.vocabulary.words import words
from directory.web import npi_query
from indexer import normalise
from indexer.sources import jsonl, wording
from indexer.sources.record import RecordError

LONG = 100_000
SOON_S = 2.0

NASTY = {
    "one letter": "a" * LONG + "!",
    "spaces": " " * LONG + "x",
    "inner spaces": "a" + " " * LONG + "b",
    "digits": "1" * LONG + "x",
    "dots": "a." * (LONG // 2) + "@",
    "domains": "a@" + "a." * (LONG // 2),
    "hyphens": "a-" * (LONG // 2) + "!",
    "brackets": "(" * LONG,
    "quotes": '"' * LONG + "\\",
    "commas": "Mo," * (LONG // 3),
    "spans": "Mo 08:00-17:00;" * (LONG // 15) + "x",
    "marks": "e" + "\u0301" * LONG,
    "coordinates": "30." + "0" * LONG + ",-97.",
    "lines": "\r\n" * (LONG // 2),
    "suites": "1 main st suite " * (LONG // 16),
    "names": "Dr. Ana de la " * (LONG // 14),
    "nested": '{"a":' * (LONG // 5),
    "escapes": "\\u0061" * (LONG // 6),
    "address": "http://" + "a@" * (LONG // 2),
}


def field(kind: Any) -> Callable[[str], object]:
    return TypeAdapter(kind).validate_python


READERS: dict[str, tuple[Callable[[str], object], tuple[type[Exception], ...]]] = {
    "words": (words, ()),
    "coordinates": (coordinates, (ValueError,)),
    "street": (lambda said: street_of({"line1": said, "line2": said, "postal_code": said}), ()),
    "hours": (hours_of, (ValueError,)),
    "e-mail": (is_address, ()),
    "origin": (origin_of, (ValueError,)),
    "npi": (fields.npi_is_valid, ()),
    "line": (field(fields.Line), (ValidationError,)),
    "text": (field(fields.Text), (ValidationError,)),
    "web address": (field(fields.WebAddress), (ValidationError,)),
    "telephone": (field(fields.Phone), (ValidationError,)),
    "listing's id": (field(fields.ListingId), (ValidationError,)),
    "cursor": (lambda said: Cursors("x").read(said, SearchQuery(near="78701")), (InvalidCursor,)),
    **{
        f"parameter {name}": (
            lambda said, name=name: parse({name: [said]}, without=frozenset()), (InvalidQuery,)
        )
        for name in SearchQuery.model_fields
    },
    "registry's last name": (
        lambda said: npi_query.read({"version": ["2.1"], "last_name": [said]}), (npi_query.Refused,)
    ),
    "FHIR date": (lambda said: values.span("x", said), (InvalidQuery,)),
    "FHIR circle": (lambda said: values.near("near", said), (InvalidQuery,)),
    "FHIR token": (values.token, ()),
    "FHIR alternatives": (lambda said: values.alternatives("x", said), (InvalidQuery,)),
    "FHIR reference": (lambda said: values.reference(said, "Location", "http://x/fhir"), ()),
    "a line of JSON": (jsonl.object_of, (ValueError, RecursionError)),
    "a table's row": (
        lambda said: wording.worded(
            {"name": {"given": said, "family": said}, "phone": said, "hours": said,
             "letters": said, "insurance_accepted": said, "first_visit_price": said}
        ),
        (RecordError, ValueError),
    ),
    "a name in one cell": (normalise.person_name, (RecordError, ValueError)),
    "readable": (normalise.readable, ()),
    "telephone of a table": (normalise.dialable, ()),
    "ZIP of a table": (normalise.zip_code, ()),
}  # fmt: skip


def answers(reader: str, said: str) -> None:
    read, refusals = READERS[reader]
    try:
        read(said)
    except refusals:
        pass


@pytest.mark.parametrize("reader", READERS)
def test_nasty_text_is_read_or_refused_soon(reader: str) -> None:
    answers(reader, "Austin, TX")
    for name, said in NASTY.items():
        began = time.process_time()
        answers(reader, said)
        took_s = time.process_time() - began
        assert took_s < SOON_S, f"{reader}: {name} took {took_s:.1f} s"


@pytest.mark.parametrize("reader", READERS)
def test_any_text_is_read_or_refused(reader: str) -> None:
    alphabet = st.text(max_size=40) | st.text(
        "0123456789.,-+:;@/|*\\'\"()apm \u0301\u202e", max_size=30
    )

    @given(alphabet)
    @settings(max_examples=25, deadline=None, derandomize=True, database=None)
    def hold(said: str) -> None:
        answers(reader, said)

    hold()
