"""Reads a list that a clinic uploads, as `indexer load csv` would, and changes nothing."""

import io
from datetime import date
from pathlib import Path

from directory.lists import MOST_ROWS, ListRow, ListUnreadable, ReadList, WrongRow
from directory.places import Places
from indexer.prepare import Preparer, Stated
from indexer.sources.csv import Csv
from indexer.sources.files import SourceError
from indexer.sources.record import Passed, Record, RecordError, RejectsWriter, Skipped


def read(path: Path, places: Places, today: date) -> ReadList:
    """The rows of a comma-separated file. ListUnreadable says why it is none."""
    source = Csv()
    prepare = Preparer(source, places, today)
    rows: list[ListRow] = []
    wrong: list[WrongRow] = []
    file = io.StringIO()
    write: RejectsWriter | None = None
    try:
        (part,) = source.parts([path])
        for record in source.read(part, ()):
            if isinstance(record, Passed):
                continue
            if len(rows) + len(wrong) == MOST_ROWS:
                raise ListUnreadable(f"it has more than {MOST_ROWS:,} rows; divide it")
            match prepare(record):
                case Stated() as stated:
                    rows.append(_row(record, stated))
                case RecordError() as error:
                    write = write or source.rejects(file, record)
                    write(record, error)
                    wrong.append(WrongRow(record.row, error.field, error.reason))
                case Skipped() as skipped:
                    wrong.append(WrongRow(record.row, "profession", skipped.reason))
                case _:
                    pass
    except SourceError as error:
        raise ListUnreadable(str(error)) from error
    except ValueError as error:
        raise ListUnreadable("it is no single comma-separated file") from error
    return ReadList(tuple(rows), tuple(wrong), file.getvalue())


def _row(record: Record, stated: Stated) -> ListRow:
    # When it was confirmed is now, when it is sent: the file does not say it.
    fields = {n: v for n, v in stated.statement.fields.items() if n != "attestation"}
    return ListRow(record.row, fields, stated.id)
