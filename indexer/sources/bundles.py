"""The resources of a file, which has one a line, or is one, or is a Bundle of them."""

import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO

from indexer.sources import files
from indexer.sources.files import SourceError
from indexer.sources.jsonl import bounded_lines, object_of

_WHOLE_FILE = 64_000_000
"""Bytes; a Bundle is parsed as a whole. Larger directories come as NDJSON."""

_LONGEST_SHOWN = 10_000
"""Bytes of what is no JSON that are kept."""

_ID = re.compile(r"[A-Za-z0-9_.\-]{1,64}")
"""As FHIR has them, and with the underscore that many servers add."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A resource with its type and id, and the URL (or URN) that its Bundle gives it."""

    said: Json
    url: str | None = None

    @property
    def name(self) -> str:
        """As references have it: `Location/1`."""
        return f"{self.said['resourceType']}/{self.said['id']}"

    @property
    def updated(self) -> datetime | None:
        """When it was last updated; None where it gives no such time."""
        try:
            stamp = datetime.fromisoformat(self.said["meta"]["lastUpdated"])
        except (TypeError, KeyError, ValueError):
            return None
        return stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)

    @property
    def content(self) -> Json:
        """What it says, without what its server says about it."""
        return {name: value for name, value in self.said.items() if name != "meta"}


@dataclass(frozen=True, slots=True)
class Broken:
    """What is no resource, or contradicts one, and why."""

    text: str
    reason: str


def resources(stream: BinaryIO) -> Iterator[Found | Broken]:
    """The resources of a file, in order. SourceError where it is a Bundle that is too large."""
    begin = stream.readline(_WHOLE_FILE)
    whole = _parsed(begin)
    if isinstance(whole, str):
        begin += stream.read(_WHOLE_FILE - len(begin))
        whole = _parsed(begin)
    if not isinstance(whole, str):
        yield from _unbundled(whole)
        begin = b""
    elif begin.strip() and not any(map(_has_resource, io.BytesIO(begin))):
        # Not lines with a broken one among them, but one thing that is broken or cut off.
        if len(begin) == _WHOLE_FILE:
            raise SourceError(
                f"no line of its first {_WHOLE_FILE:,} bytes is a resource: "
                f"a Bundle of more than {_WHOLE_FILE:,} bytes must be given as NDJSON"
            )
        yield _no_json(begin, whole)
        return
    for line in bounded_lines(files.put_back(begin, stream)):
        if line.strip():
            found = _parsed(line)
            if isinstance(found, str):
                yield _no_json(line, found)
            else:
                yield from _unbundled(found)


def _parsed(text: bytes) -> Json | str:
    """The object that a text is, or why it is none."""
    try:
        return object_of(text)
    except (ValueError, RecursionError) as error:
        return str(error)


def _has_resource(line: bytes) -> bool:
    found = b'"resourceType"' in line and _parsed(line)  # parsing 64 MB line by line takes long
    return isinstance(found, Mapping) and "resourceType" in found


def _no_json(text: bytes, reason: str) -> Broken:
    shown = text[:_LONGEST_SHOWN].decode(errors="replace").strip()
    return Broken(shown, f"is no JSON: {reason}")


def _unbundled(found: Json, url: object = None) -> Iterator[Found | Broken]:
    entries = found.get("entry")
    if found.get("resourceType") == "Bundle" and isinstance(entries, list):
        for entry in entries:
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if isinstance(resource, dict):
                yield from _unbundled(resource, entry.get("fullUrl"))
    elif _is_resource(found):
        yield Found(found, url if isinstance(url, str) else None)
    else:
        yield Broken(json.dumps(found), "has no resourceType, or no id as FHIR has them")


def _is_resource(found: Json) -> bool:
    kind, id_ = found.get("resourceType"), found.get("id")
    return isinstance(kind, str) and isinstance(id_, str) and bool(_ID.fullmatch(id_))
