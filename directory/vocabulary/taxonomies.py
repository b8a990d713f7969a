"""The names of our professions' taxonomy codes, as the NUCC gives them.

taxonomies.csv: codes and names of Health Care Provider Taxonomy 25.1 (NUCC, 2025-07). The code set
is the copyright of the American Medical Association, published free of charge; its definitions are
left out.
"""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from directory.vocabulary.words import phrase


@cache
def taxonomies() -> Mapping[str, tuple[str, str]]:
    """Classification and specialization (empty where there is none) by code."""
    path = Path(__file__).parent / "taxonomies.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["code"]: (row["classification"], row["specialization"])
            for row in csv.DictReader(file)
        }


def taxonomy_name(code: str) -> str | None:
    """A code's name, `Physical Therapist, Orthopedic`; None where it is none that we know."""
    names = taxonomies().get(code)
    return ", ".join(filter(None, names)) if names else None


def codes_named(text: str, *, begins: bool) -> tuple[str, ...]:
    """The codes whose name, classification or specialization is this, or begins so."""
    wanted = phrase(text)
    if not wanted:
        return ()
    return tuple(
        code
        for code, names in taxonomies().items()
        for called in (map(phrase, (taxonomy_name(code) or "", *names)),)
        if any(each == wanted or (begins and each.startswith(wanted)) for each in called)
    )
