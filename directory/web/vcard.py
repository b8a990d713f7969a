"""A listing as a vCard 3.0 (RFC 2426, 1998-09)."""

import re

from directory.listing import Listing

_SPECIAL = re.compile(r"([\\,;])")
_LONGEST = 75
"""Octets a line (RFC 2426, 2.6); a longer one is folded."""


def vcard(listing: Listing) -> str:
    """The contact, with what there is of clinic, telephone, address and website."""
    name, address = listing.name, listing.address
    street = ", ".join(filter(None, (address.line1, address.line2)))
    place = ("", "", street, address.city, address.state, address.postal_code, "US")
    parts = (name.family, name.given, name.middle, "", name.suffix)
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"N:{';'.join(map(_text, parts))}",
        f"FN:{_text(listing.title)}",
        f"ADR;TYPE=WORK:{';'.join(map(_text, place))}",
    ]
    lines += [f"ORG:{_text(listing.clinic)}"] if listing.clinic else []
    lines += [f"TEL;TYPE=WORK:{listing.phone}"] if listing.phone else []
    lines += [f"URL:{listing.website}"] if listing.website else []
    return "".join(f"{_folded(line)}\r\n" for line in (*lines, "END:VCARD"))


def _text(value: str | None) -> str:
    return _SPECIAL.sub(r"\\\1", value or "")


def _folded(line: str) -> str:
    """A line in pieces of at most 75 octets, those after the first behind a space."""
    pieces, piece = [], ""
    for character in line:
        if len((piece + character).encode()) > _LONGEST - 1:
            pieces.append(piece)
            piece = ""
        piece += character
    return "\r\n ".join((*pieces, piece))
