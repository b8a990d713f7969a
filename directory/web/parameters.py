"""The parameters of an address of the API: each is known, and right, or it is an error."""

import re

from flask import request

from directory.language import LANGUAGES, gettext
from directory.search.query import InvalidQuery, ParameterError

LONGEST = 100
_EVERYWHERE = frozenset({"key", "lang"})


def asked() -> dict[str, list[str]]:
    """The parameters of this address alone, without those that every address takes."""
    if (language := request.args.get("lang")) is not None and language not in LANGUAGES:
        raise must_be_one_of("lang", ", ".join(LANGUAGES))
    return {name: values for name, values in request.args.lists() if name not in _EVERYWHERE}


def only(*names: str, optional: tuple[str, ...] = ()) -> dict[str, str]:
    """These parameters, each once; InvalidQuery where one is missing or another is there."""
    given = asked()
    unknown = [name for name in given if name not in names and name not in optional]
    errors = [
        ParameterError(name, gettext("There is no parameter “%(name)s”.", name=name), unknown=True)
        for name in unknown
    ]
    names += tuple(name for name in optional if name in given)
    for name in names:
        if len(given.get(name, ())) != 1 or not 1 <= len(given[name][0]) <= LONGEST:
            said = gettext("Give %(name)s exactly once, with 1 to 100 characters.", name=name)
            errors.append(ParameterError(name, said))
    if errors:
        raise InvalidQuery(errors)
    return {name: given[name][0] for name in names}


def whole_number(name: str, typed: str, least: int, most: int) -> int:
    """A whole number between two, both included; else InvalidQuery."""
    if not re.fullmatch("[0-9]{1,16}", typed) or not least <= int(typed) <= most:
        raise must_be_one_of(name, f"{least}-{most}")
    return int(typed)


def number_of(typed: str) -> int | None:
    """The whole number that a form sends, of at most twelve digits; None where it is none."""
    return int(typed) if re.fullmatch("[0-9]{1,12}", typed) else None


def must_be_one_of(name: str, values: str) -> InvalidQuery:
    """What is wrong with a parameter that has another value than these."""
    wrong = gettext("must be one of %(values)s", values=values)
    return InvalidQuery([ParameterError(name, f"{name}: {wrong}.")])
