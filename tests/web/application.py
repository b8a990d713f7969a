"""The application on the fictional listings, without a server before it: for what needs none."""

import json
from pathlib import Path

from directory.partner import Partner
from directory.places import Places
from directory.publishing import publish
from directory.services import Services
from directory.store import partners
from directory.store.partners import KeyKind
from fixtures import generate
from indexer.sources.jsonl import Jsonl
from tests.builders import TODAY
from tests.conftest import own_services
from tests.indexer.test_load import load


def filled(folder: Path, places: Places) -> Services:
    """Services on files in a folder, with the fictional listings in store and index."""
    parts = own_services(folder, places)
    path = folder / "listings.jsonl"
    path.write_text("\n".join(map(json.dumps, generate.listings(TODAY))))
    load(parts, Jsonl(), path)
    with parts.engine.new_generation() as new:
        new.serve(0)
    publish(parts.database, parts.engine, 0)
    return parts


def a_key(parts: Services, kind: KeyKind, **more: object) -> str:
    """A new partner's key."""
    with parts.database.writing() as session:
        id_ = partners.new_id(session, "A partner")
        made = {"id": id_, "name": "A partner", "origins": [], "a_minute": 100_000, **more}
        partners.keep(session, Partner.model_validate(made))
        return partners.make_key(session, id_, kind, parts.clock())
