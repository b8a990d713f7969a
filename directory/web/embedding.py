"""The search within a partner's page: what of it is fixed there, and what goes along with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flask import g, url_for

from directory.partner import Partner
from directory.search.query import SearchQuery

LOCKS = tuple(
    name for name in SearchQuery.model_fields if name not in ("cursor", "page", "explain")
)
"""What a page may preset, and fix."""

HIDES = ("filters", "map", "header")

Scheme = Literal["auto", "light", "dark"]


@dataclass(frozen=True)
class Embedding:
    """One embedded search. `origin` is the page's, where its script has told it; `self` is ours.

    `asks` are the parameters of the frame that go along from search to search; `within` is what
    the path of its `endpoint` takes.
    """

    partner: Partner
    origin: str | None
    locked: frozenset[str]
    hidden: frozenset[str]
    scheme: Scheme
    may_locate: bool
    asks: dict[str, str]
    endpoint: str = "embed.frame"
    within: Mapping[str, Any] = field(default_factory=dict)


def scheme_of(typed: str | None, usual: Scheme) -> Scheme:
    """The scheme that is asked for, or the usual one."""
    asked: dict[str | None, Scheme] = {"auto": "auto", "light": "light", "dark": "dark"}
    return asked.get(typed, usual)


def embedding() -> Embedding | None:
    """The embedding that the running request is of."""
    found: Embedding | None = g.get("embedding")
    return found


def fixed(name: str) -> bool:
    """Whether the page around has fixed a parameter, so that nobody is offered to change it."""
    here = embedding()
    return here is not None and name in here.locked


def hidden(what: str) -> bool:
    """Whether the page around wants a part of the search left out."""
    here = embedding()
    return here is not None and what in here.hidden


def along() -> Mapping[str, str]:
    """What goes along with every search."""
    here = embedding()
    return here.asks if here else {}


def search_address(**asked: Any) -> str:  # noqa: ANN401  # as url_for
    """The address that searches, with parameters."""
    here = embedding()
    return (
        url_for(here.endpoint, **here.within, **asked) if here else url_for("pages.search", **asked)
    )
