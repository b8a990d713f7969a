"""What time does to listings, done in the store by the one clock (store/age.py)."""

from collections.abc import Callable

from directory.services import Clock
from directory.store.age import TooManyLapsed, age
from directory.store.database import Database
from directory.store.listings import Made

Tell = Callable[[str], object]


def grow_old(database: Database, clock: Clock, tell: Tell, *, accept_lapses: bool = False) -> bool:
    """Act in the store on what time has done; False where it would be too much."""
    made = Made("the clock", clock(), "time has passed")
    try:
        with database.writing() as session:
            lapsed = age(session, made, accept=accept_lapses)
    except TooManyLapsed as error:
        tell(f"Nothing was hidden: {error}")
        return False
    if lapsed:
        tell(f"{lapsed:,} listings are out of date and left the results")
    return True
