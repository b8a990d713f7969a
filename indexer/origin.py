"""Whose list it is: two lists may use the same ids, so each puts its name before its own."""

import re
from collections.abc import Iterable

ORIGIN = re.compile("[a-z0-9-]{1,40}")
"""A name of a list, short enough to leave room for the key behind it."""

_WITH_ORIGIN = re.compile(f"{ORIGIN.pattern}:")


def prefix_of(origin: str | None) -> str:
    """What stands before every key of an origin; nothing where there is none."""
    return f"{origin}:" if origin else ""


def own(keys: Iterable[str], prefix: str) -> set[str]:
    """Those keys that are of this origin, or of none.

    No key of the registry or of a FHIR directory has a colon where the name of an origin ends.
    """
    if prefix:
        return {key for key in keys if key.startswith(prefix)}
    return {key for key in keys if not _WITH_ORIGIN.match(key)}
