"""A partner: a site that embeds the search. Where it may stand, what it finds, how it looks."""

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    model_validator,
)

from directory.fields import STORED, Insurer, Line, Profession, State, at_the_edge, unique
from directory.listing import Listing, Value
from directory.mail.address import LONGEST, folded, is_address

READABLE = 4.5
"""The least contrast of text (WCAG 2.2, 1.4.3, level AA)."""

_HOST = re.compile(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*")
_LOCAL = ("localhost", "127.0.0.1")
_DEFAULT_PORTS = {"https": 443, "http": 80}
_PAPER = {"light": ("#17211f", "#ffffff"), "dark": ("#e8eeeb", "#18211f")}
"""Text and surface of site.css, of which a theme may change one alone."""


def origin_of(typed: str) -> str:
    """An origin as browsers send it: `https://example.org`, `https://*.example.org:8443`.

    A `*` stands for one whole label on the left. Plain http is for this machine alone. ValueError
    where it is none.
    """
    parts = urlsplit(typed.strip().rstrip("/"))
    try:
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise ValueError(f"{typed!r} has a port that is none") from error
    if not host.isascii():
        raise ValueError(f"{typed!r}: write the host as browsers send it, xn--…")
    is_bare = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
    is_secure = parts.scheme == "https" or (parts.scheme == "http" and host in _LOCAL)
    if not is_bare or not is_secure or not _HOST.fullmatch(host):
        raise ValueError(f"{typed!r} is no origin: https:// and a host, and nothing behind it")
    if host.startswith("*.") and host.count(".") < 2:
        raise ValueError(f"{typed!r} would be everybody's: name a domain behind the *")
    at = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{at}"


def contrast(one: str, other: str) -> float:
    """How well one colour (#rrggbb) reads on another: 1 to 21 (WCAG 2.2, contrast ratio)."""
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def snippet(base_url: str, key: str) -> str:
    """The lines that a partner puts into a page."""
    return (
        f'<script async src="{base_url}/embed/v1.js"></script>\n'
        f'<practitioner-search key="{key}">\n'
        f'  <a href="{base_url}/">Find a practitioner of dry needling</a>\n'
        "</practitioner-search>"
    )


def _email(typed: str) -> str:
    """An e-mail address as whoever signs in is known by it."""
    if len(typed) > LONGEST or not is_address(folded(typed)):
        raise ValueError(f"{typed!r} is no e-mail address")
    return folded(typed)


Origin = Annotated[str, at_the_edge(origin_of)]
Colour = Annotated[
    str,
    BeforeValidator(lambda typed: typed.lower() if isinstance(typed, str) else typed),
    StringConstraints(pattern="^#[0-9a-f]{6}$"),
]
Font = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 ,'\"-]{1,200}$")]


class Theme(Value):
    """How the embedded search looks, unless the page around it says otherwise.

    Colours are #rrggbb, the radius of corners is in pixels. What cannot be read is refused.
    """

    scheme: Literal["auto", "light", "dark"] = "auto"
    accent: Colour | None = None
    text: Colour | None = None
    surface: Colour | None = None
    border: Colour | None = None
    radius: Annotated[int, Field(ge=0, le=32)] | None = None
    font: Font | None = None

    @model_validator(mode="after")
    def _can_be_read(self, info: ValidationInfo) -> Self:
        if info.context is STORED:
            return self
        text, surface = _PAPER["dark" if self.scheme == "dark" else "light"]
        text, surface = self.text or text, self.surface or surface
        for name, colour in ("text", text), ("accent", self.accent or text):
            if (ratio := contrast(colour, surface)) < READABLE:
                raise ValueError(
                    f"{name} {colour} on {surface} has a contrast of {ratio:.1f}: {READABLE} is "
                    "the least that can be read"
                )
        return self


class Partner(Value):
    """A site that embeds the search or asks the API.

    It finds listings of these states, professions and insurers only; none named is all of them.
    `a_minute` is how many requests it may make in a minute. Who signs in as `email` sees its page.
    """

    id: str
    name: Line
    email: Annotated[str, at_the_edge(_email)] | None = None
    origins: Annotated[tuple[Origin, ...], AfterValidator(unique), Field(max_length=50)]
    states: Annotated[tuple[State, ...], AfterValidator(unique)] = ()
    professions: Annotated[tuple[Profession, ...], AfterValidator(unique)] = ()
    insurers: Annotated[tuple[Insurer, ...], AfterValidator(unique)] = ()
    a_minute: Annotated[int, Field(ge=1, le=100_000)] = 600
    theme: Theme = Theme()

    def finds(self, listing: Listing) -> bool:
        """Whether a listing is within what the partner may find."""
        return (
            (not self.states or listing.address.state in self.states)
            and (not self.professions or listing.profession in self.professions)
            and (not self.insurers or not set(self.insurers).isdisjoint(listing.insurance_accepted))
        )

    def allows(self, origin: str) -> bool:
        """Whether a page of this origin, as a browser names it, may embed the search."""
        try:
            is_one = origin_of(origin) == origin and "*" not in origin
        except ValueError:
            is_one = False
        if not is_one:
            return False
        scheme, _, host = origin.partition("://")
        label, _, domain = host.partition(".")
        return origin in self.origins or bool(label and f"{scheme}://*.{domain}" in self.origins)
