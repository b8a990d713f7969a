"""What the serving process writes to its log: one event a line, as text or as JSON.

Neither may be forged: whatever could end a line or colour a terminal is written as an escape, as a
request may bring it. What a line holds is decided where it is made: never an address with its
query, a search text, a coordinate, a token or an e-mail address.
"""

import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

import orjson
from gunicorn.config import Config
from gunicorn.glogging import Logger

from directory.wordless import wordless

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_STACK_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def configure(format_: str) -> None:
    """Log to stderr, as `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if format_ == "json" else TextLines())
    handler.addFilter(Seldom("opentelemetry"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("directory").setLevel(logging.INFO)


class Seldom(logging.Filter):
    """Lets a library speak once a minute: it tells of each try while a collector is down."""

    def __init__(self, library: str) -> None:
        super().__init__(library)
        self._silent_until = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is written."""
        if not super().filter(record):
            return True
        if record.created < self._silent_until:
            return False
        self._silent_until = record.created + 60
        return True


class TextLines(logging.Formatter):
    """`2026-11-24 12:00:00,000 directory.access GET /search 200 …`; a stack trace follows below."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the library's name
        """The line, with what could end it escaped."""
        return _CONTROL.sub(_escaped, super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802
        """The stack trace, whose lines are the interpreter's."""
        return _STACK_CONTROL.sub(_escaped, super().formatException(ei))  # type: ignore[arg-type]


class JsonLines(logging.Formatter):
    """One object a line: `at` (UTC), `level`, `logger`, `message`, and what the event adds."""

    def format(self, record: logging.LogRecord) -> str:
        """The object."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _CONTROL.sub(_escaped, record.getMessage()),
            **getattr(record, "event", {}),
        }
        if record.exc_info:
            line["stack"] = self.formatException(record.exc_info)
        # orjson leaves these as they are, and some readers take them for the end of a line.
        return orjson.dumps(line).decode().translate(_NOT_IN_JSON)


class GunicornLog(Logger):  # type: ignore[misc]  # gunicorn has no types
    """The server's own events: lines like all others, without the clients' words that it quotes."""

    def __init__(self, cfg: Config) -> None:
        super().__init__(cfg)
        self.error_log.propagate = True  # to our handler; `errorlog` names none of its own

    def warning(self, msg: str, *args: object, **kwargs: Any) -> None:  # noqa: ANN401  # logging's
        """Tell of what is amiss; of a request that was refused, no more than that there was one."""
        if msg.startswith(_REFUSED):
            msg, args = "what a client sent was no clear request", ()
        super().warning(msg, *args, **kwargs)

    def exception(self, *_: object, **__: object) -> None:
        """Tell where a fault happened and of what kind; what it is about may be what was asked."""
        error = sys.exc_info()[1]
        if error and not isinstance(error, BlockingIOError):  # a client was silent for too long
            self.error("the server met a fault: %s", wordless(error))


_REFUSED = "Invalid request from"
"""So begins what gunicorn says of it; the rest is the client's address and words."""

_NOT_IN_JSON = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029)}


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
