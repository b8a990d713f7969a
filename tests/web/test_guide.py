"""The guide says nothing without its reference, and appears where it matters and only there."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.vocabulary import Kind, vocabulary
from directory.web.guide import EMERGENCY, REFERENCES, SECTIONS, care
from tests.web.conftest import Site


def test_every_fact_has_a_reference_and_every_reference_a_fact() -> None:
    facts = [EMERGENCY, *(fact for section in SECTIONS for fact in section.facts)]
    assert all(fact.by for fact in facts)
    assert {name for fact in facts for name in fact.by} == REFERENCES.keys()
    assert all(each.date for each in REFERENCES.values())


def test_every_technique_that_is_explained_is_one_of_the_vocabulary() -> None:
    explained = {fact.at for section in SECTIONS for fact in section.facts if fact.at}
    assert explained <= {term.value for term in vocabulary().terms(Kind.TECHNIQUE)}


@pytest.mark.parametrize("lang", ["en", "es"])
def test_every_link_within_the_guide_leads_somewhere(site: Site, lang: str) -> None:
    text = site.get("/guide", lang=lang).text
    anchors = re.findall(r'href="#([^"]+)"', text)
    assert len(anchors) > 40
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(anchors) <= set(ids)
    levels = [int(level) for level in re.findall(r"<h(\d)", text)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert text.index("911") < text.index('id="what"')


@pytest.mark.parametrize(
    ("typed", "at"),
    [
        ("pregnant neck pain", "not-for"), ("can I with blood thinners?", "not-for"),
        ("Embarazada, espalda", "not-for"), ("miedo a las agujas", "not-for"),
        ("chiro", None), ("blood", None), (None, None), ("Dr. Pregnanti", None),
    ],
)  # fmt: skip
def test_the_guide_is_offered_to_whom_it_matters(typed: str | None, at: str | None) -> None:
    assert care(typed) == at


@given(st.text(max_size=60))
def test_it_is_offered_for_no_other_words(typed: str) -> None:
    if not re.search("pregn|blood|warfarin|antico|needle|embaraz|miedo", typed, re.IGNORECASE):
        assert care(typed) is None


def test_the_line_stands_above_the_results(site: Site) -> None:
    page = site.get("/search", near="78701", q="pregnant neck pain").text
    assert page.index("/guide#not-for") < page.index('class="card"')
    assert "/guide#not-for" not in site.get("/search", near="78701", q="neck pain").text
