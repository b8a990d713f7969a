"""How names in one cell are taken apart."""

import pytest

from indexer.normalise import person_name


@pytest.mark.parametrize(
    ("cell", "given", "middle", "family"),
    [
        ("Maria De La Cruz", "Maria", None, "De La Cruz"),
        ("Mary Jo van Dyke", "Mary", "Jo", "van Dyke"),
        ("Van Nguyen", "Van", None, "Nguyen"),
        ("Anna Le", "Anna", None, "Le"),
        ("Ana M. Núñez", "Ana", "M.", "Núñez"),
    ],
)
def test_a_family_name_begins_with_its_particle(
    cell: str, given: str, middle: str | None, family: str
) -> None:
    said, _ = person_name(cell)
    assert (said["given"], said.get("middle"), said["family"]) == (given, middle, family)
