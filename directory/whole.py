"""A stored listing's JSON with all that was left out of it because it is at its default.

The store keeps a listing without its defaults, and the API answers it with them. To fill them in
takes 5 us; to read a Listing and write that again takes 70, for every listing that is indexed.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from directory.listing import Listing

Json = dict[str, Any]


def whole(said: Mapping[str, Any]) -> Json:
    """The listing's JSON, every field in the order of its declaration.

    The same as `Listing.model_dump(mode="json")` of the listing that it stands for.
    """
    return _filled(Listing, said)


def _filled(model: type[BaseModel], said: Mapping[str, Any]) -> Json:
    defaults, parts = _plan(model)
    found = {**defaults, **said}
    for name, part in parts:
        value = found[name]
        if isinstance(value, dict):
            found[name] = _filled(part, value)
        elif value:
            found[name] = [_filled(part, each) for each in value]
    return found


@cache
def _plan(model: type[BaseModel]) -> tuple[Json, tuple[tuple[str, type[BaseModel]], ...]]:
    """Each field's default (None where there has to be a value), and which fields have parts."""
    fields = model.model_fields
    defaults = {name: None if f.is_required() else f.default for name, f in fields.items()}
    parts = ((name, _part(field.annotation)) for name, field in fields.items())
    return defaults, tuple((name, part) for name, part in parts if part and _plan(part)[0])


def _part(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401  # whatever a field may be
    """The model that a field holds one or several of, if it has defaults of its own."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        has_defaults = any(not field.is_required() for field in annotation.model_fields.values())
        return annotation if has_defaults else None
    return next(filter(None, map(_part, get_args(annotation))), None)
