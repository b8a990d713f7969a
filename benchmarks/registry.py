"""Writes a fictional registry file in the layout of 2024: 330 columns, every cell quoted.

    python -m benchmarks.registry 810000 /tmp/npidata.csv [share]

About 1,200 bytes a row; `share` of the rows (4.3 % by default) are individuals of our professions.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from benchmarks.listings import towns
from directory.fields import npi_is_valid

SHARE = 0.043
OURS = ("225100000X", "2251X0800X", "111N00000X", "207X00000X")
OTHERS = ("207Q00000X", "163W00000X", "1041C0700X", "363L00000X", "122300000X", "183500000X")
GIVEN = (
    "ANA",
    "BRIGITTE",
    "CHIDI",
    "DANIEL",
    "EVA-MARIA",
    "FEMI",
    "GRACE",
    "HENRY",
    "INÉS",
    "JOSÉ",
)
FAMILY = ("FERNCASTLE", "O'HALE", "WYNN-LEE", "OKAFOR", "MCMOOR", "NÚÑEZ", "DE LA CRUZ", "BYSTROM")
STREETS = ("MAIN ST", "N OAK AVE", "COUNTY ROAD 12", "CORPORATE BLVD", "E 3RD ST", "ELM PLZ")


def columns() -> list[str]:
    """The columns that are read, at about their places; the others have any name."""
    practice = "Provider Business Practice Location Address"
    head = ["NPI", "Entity Type Code", "Replacement NPI", "Employer Identification Number (EIN)",
            "Provider Organization Name (Legal Business Name)", "Provider Last Name (Legal Name)",
            "Provider First Name", "Provider Middle Name", "Provider Name Prefix Text",
            "Provider Name Suffix Text", "Provider Credential Text"]  # fmt: skip
    places = ["Provider First Line Business Practice Location Address",
              "Provider Second Line Business Practice Location Address", f"{practice} City Name",
              f"{practice} State Name", f"{practice} Postal Code",
              f"{practice} Country Code (If outside U.S.)", f"{practice} Telephone Number"]  # fmt: skip
    dates = ["Provider Enumeration Date", "Last Update Date", "NPI Deactivation Date",
             "NPI Reactivation Date", "Provider Sex Code"]  # fmt: skip
    in_a_slot = ("Healthcare Provider Taxonomy Code", "Provider License Number",
                 "Provider License Number State Code", "Healthcare Provider Primary Taxonomy Switch")  # fmt: skip
    slots = [f"{name}_{slot}" for slot in range(1, 16) for name in in_a_slot]
    named = [*head, *(f"Mailing {n}" for n in range(20)), *places, *dates, *slots]
    return [*named, *(f"Other {number}" for number in range(330 - len(named)))]


def npis() -> Iterator[str]:
    """Valid numbers that begin with 2: none was ever given out."""
    for number in range(200_000_000, 300_000_000):
        yield next(f"{number}{d}" for d in range(10) if npi_is_valid(f"{number}{d}"))


def rows(many: int, share: float) -> Iterator[str]:
    rng = Random(1)
    names = columns()
    places = towns()
    others = len(names) - names.index("Healthcare Provider Primary Taxonomy Switch_1") - 1
    tail = '""' + ',""' * (others - 1)
    mailing = '"12 MAILBOX LANE","SUITE 400","SOMEWHERE ELSE","NV","891010000"' + ',""' * 15
    yield ",".join(f'"{name}"' for name in names) + "\n"
    for npi, _ in zip(npis(), range(many), strict=False):
        town = places[int(rng.random() * len(places))]
        code = rng.choice(OURS if rng.random() < share else OTHERS)
        house = int(rng.random() * 9000) + 1
        street, digits = rng.choice(STREETS), int(rng.random() * 9_000_000) + 1_000_000
        yield (
            f'"{npi}","1","","","","{rng.choice(FAMILY)}","{rng.choice(GIVEN)}","M","","","PT, DPT",'
            f'{mailing},"{house} {street}","STE {house % 40}","{town["city"].upper()}",'
            f'"{town["state"]}","{town["zip_code"]}{house % 9000 + 1000}","US","512{digits}",'
            f'"05/01/2012","06/01/2024","","","F","{code}","PT{digits}","{town["state"]}","Y",{tail}\n'
        )


def write(path: Path, many: int, share: float = SHARE) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(rows(many, share))


if __name__ == "__main__":
    write(Path(sys.argv[2]), int(sys.argv[1]), float(sys.argv[3]) if sys.argv[3:] else SHARE)
