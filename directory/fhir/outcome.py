"""What went wrong, as FHIR says it."""

from collections.abc import Sequence

from directory.fhir.elements import Json, said
from directory.search.query import ParameterError

_CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    410: "deleted",
    413: "too-long",
    415: "not-supported",
    429: "throttled",
    503: "transient",
}
"""HTTP's status as FHIR's kind of issue (IssueType, R4)."""


def outcome(status: int, detail: str, errors: Sequence[ParameterError]) -> Json:
    """An OperationOutcome with an issue for each parameter that is wrong, or one for the whole."""
    code = _CODES.get(status, "exception" if status >= 500 else "processing")
    severity = "fatal" if status >= 500 else "error"
    each = [(error.message, [f"http.{error.parameter}"]) for error in errors] or [(detail, [])]
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            said(severity=severity, code=code, diagnostics=message, expression=where)
            for message, where in each
        ],
    }
