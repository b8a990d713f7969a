"""Gathers the messages for people and brings the catalogs up to them: `make translations`.

What is new is empty in a catalog until somebody translates it; what is gone leaves it.
"""

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from directory.language import LANGUAGES, TRANSLATIONS

ROOT = TRANSLATIONS.parents[1]
_UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
"""The compiled catalog has dates, which would make the same messages another file each time."""

KEYWORDS = {"gettext": None, "ngettext": (1, 2), "_": None, "marked": None}


def gathered() -> Catalog:
    """Every message of the source, without translations."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    found = Catalog()
    for _, _, message, _, _ in extract_from_dir(
        ROOT, method_map=methods, options_map=options, keywords=KEYWORDS
    ):
        found.add(message)
    return found


def translated(language: str) -> Catalog:
    """The catalog of a language as it stands."""
    with po(language).open("rb") as file:
        return read_po(file, locale=language)


def po(language: str) -> Path:
    """Where a catalog is kept, for people; the compiled one lies beside it."""
    return TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"


def updated(before: Catalog, messages: Catalog) -> Catalog:
    """The translations of these messages, as far as they are there."""
    new = Catalog(locale=before.locale, fuzzy=False, creation_date=_UNDATED, revision_date=_UNDATED)
    for message in sorted(messages, key=_first):
        if message.id:
            known = before.get(message.id)
            new.add(message.id, known.string if known else "")
    return new


def written(catalog: Catalog) -> tuple[bytes, bytes]:
    """A catalog as it is kept: for people, and compiled. The same catalog gives the same bytes."""
    for_people, compiled = io.BytesIO(), io.BytesIO()
    write_po(for_people, catalog, width=0, omit_header=True)
    write_mo(compiled, catalog)
    return for_people.getvalue(), compiled.getvalue()


def missing(catalog: Catalog) -> Iterator[str]:
    """The messages that have no translation, or lack one of their forms."""
    for message in catalog:
        said = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and not all(said):
            yield _first(message)


def _first(message: Message) -> str:
    """A message's id, of one with a plural the singular."""
    return message.id if isinstance(message.id, str) else message.id[0]


def main() -> None:
    """Bring every catalog up to the source, and name what is not translated yet."""
    messages = gathered()
    for language in LANGUAGES.keys() - {"en"}:
        catalog = updated(translated(language), messages)
        for_people, compiled = written(catalog)
        po(language).write_bytes(for_people)
        po(language).with_suffix(".mo").write_bytes(compiled)
        for message in missing(catalog):
            sys.stdout.write(f"{language}: no translation of {message!r}\n")


if __name__ == "__main__":
    main()
