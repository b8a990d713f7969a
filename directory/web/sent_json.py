"""A JSON object that was sent: read in bounded time, and only where all who read it agree."""

import json
from typing import Any

from flask import request


def sent_object() -> dict[str, Any] | None:
    """The object that the request carries as application/json; None where there is none.

    None, too, where a member is there twice, since nobody knows which of the two counts; where a
    number is none (NaN, Infinity) or has thousands of digits; where it is nested hundreds deep.
    """
    if not request.is_json:
        return None
    try:
        said = json.loads(request.get_data(), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        raise ValueError("a member is there twice")
    return found


def _no_number(said: str) -> None:
    raise ValueError(f"{said} is no number of JSON")
