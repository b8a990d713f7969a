"""An even rate that waits for nobody: what is slow must not lower the load that makes it slow."""

import time
from collections.abc import Iterator
from itertools import count


def evenly(a_second: float) -> Iterator[float]:
    """When each of so many a second is due (`time.monotonic`), as soon as it is; without end.

    Whoever is late goes on with the next at once.
    """
    begun = time.monotonic()
    for number in count():
        due = begun + number / a_second
        time.sleep(max(0.0, due - time.monotonic()))
        yield due
