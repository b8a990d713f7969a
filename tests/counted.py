"""An engine that counts what it is asked."""

from directory.search.engine import Answering
from directory.search.lookup import LookedUp, Lookup
from directory.search.scope import EVERYTHING
from directory.search.scoped import Scoped


class Counted(Scoped):
    """Answers as the engine does; `lookups` says how often it was looked up in."""

    def __init__(self, engine: Answering) -> None:
        super().__init__(engine, EVERYTHING)
        self.lookups = 0

    def lookup(self, wanted: Lookup) -> LookedUp:
        self.lookups += 1
        return super().lookup(wanted)
