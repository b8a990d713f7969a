"""The practitioners of this directory under the contract of the NPI Registry API 2.1.

A query that cannot be asked is answered with status 200 and `Errors`, as the registry does. It asks
the engine alone, so it answers while the store is down.
"""

import logging
from dataclasses import asdict, replace
from http import HTTPStatus

from flask import Blueprint, Response

from directory.search.cursor import InvalidCursor
from directory.search.engine import EngineUnavailable
from directory.search.practitioners import practitioners
from directory.web.context import cursors, engine, services
from directory.web.npi_query import NpiError, Refused, read
from directory.web.npi_record import Json, record
from directory.web.parameters import asked
from directory.web.responses import RETRY_AFTER_S, for_one, json_response
from directory.wordless import wordless

blueprint = Blueprint("npi_registry", __name__, url_prefix="/npi-registry")


@blueprint.get("/api/", strict_slashes=False)
def search() -> Response:
    """Practitioners with an NPI, each with all practices; docs/npi-registry.md has the contract."""
    query = read(asked())
    signed, wanted = cursors("npi"), query.wanted
    if query.cursor:
        wanted = replace(wanted, after=signed.read_key(query.cursor, wanted))
    found, after = practitioners(engine(), wanted, query.skip)
    today, with_distance = services().clock().date(), bool(wanted.circle)
    source = f"Dry Needling Directory, {services().base_url}"
    content = {
        "result_count": len(found),
        "results": [record(each, source, today, with_distance=with_distance) for each in found],
        "cursor": after and signed.write_key(after, wanted),
    }
    return for_one(json_response(content, indented=query.pretty))


@blueprint.errorhandler(Refused)
def refuse(error: Refused) -> Response:
    """What cannot be asked, as the registry says it."""
    return _errors(*error.errors)


@blueprint.errorhandler(InvalidCursor)
def refuse_cursor(_: InvalidCursor) -> Response:
    """A cursor that was altered, or belongs to other parameters."""
    said = "The cursor was altered or belongs to another query: start again without a cursor"
    return _errors(NpiError(said, "cursor"))


@blueprint.errorhandler(EngineUnavailable)
def unavailable(error: EngineUnavailable) -> Response:
    """The search is down: the one answer here that is no success."""
    logging.getLogger("directory").error("%s", wordless(error))
    answer = _errors(
        NpiError("The search does not answer at the moment: try again soon", "generic")
    )
    answer.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def _errors(*errors: NpiError) -> Response:
    content: list[Json] = [asdict(error) for error in errors]
    answer = json_response({"Errors": content})
    answer.headers["Cache-Control"] = "no-store"
    return answer
