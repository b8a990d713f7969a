"""By when a report of a mistake is answered: within two business days.

That is how soon a health plan's directory must be updated (No Surprises Act, section 116, in force
2022-01-01). Business days are Monday to Friday here; holidays are not known, so we are earlier.
"""

from datetime import datetime, timedelta

ANSWER_DAYS = 2
_SATURDAY = 5


def due_at(since: datetime) -> datetime:
    """When the business days to answer are over."""
    due, left = since, ANSWER_DAYS
    while left:
        due += timedelta(days=1)
        left -= due.weekday() < _SATURDAY
    return due
