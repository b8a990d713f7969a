"""A store of which every transaction is surrounded, as by a span of a trace."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from directory.store.database import Database, Transaction

Around = Callable[[str], AbstractContextManager[None]]
"""Surrounds a transaction, by its kind: `reading` or `writing`."""


class Watched(Database):
    """One database, by its SQLAlchemy URL; ValueError where that is none."""

    def __init__(self, url: str, around: Around) -> None:
        super().__init__(url)
        self._around = around

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A transaction that writes nothing."""
        with self._around("reading"), super().reading() as session:
            yield session

    @contextmanager
    def writing(self, *, rehearsal: bool = False) -> Iterator[Transaction]:
        """A write transaction, from when it queues for its turn until it is durable."""
        with self._around("writing"), super().writing(rehearsal=rehearsal) as session:
            yield session
