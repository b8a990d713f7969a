"""The command `indexer`: load sources into the store, keep the search index in step."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from directory.places.census import GazetteerFileError, read, save
from directory.search.engine import EngineUnavailable
from directory.services import Services, services
from directory.settings import InvalidSettings, settings
from directory.store.database import StoreUnavailable
from directory.store.listings import Status, counts
from indexer import sync as keeping
from indexer.load import Loader, Result, Summary
from indexer.sources import csv, jsonl, nppes
from indexer.sources.record import RecordSource, SourceError

SOURCES: dict[str, RecordSource] = {"csv": csv, "jsonl": jsonl, "nppes": nppes}

REJECTED, FAILED, NOT_IN_STEP = 3, 1, 4
"""Exit codes beside 0 (all done) and 2 (wrong use): some records were rejected; nothing could be
done; the index is missing or behind."""

_EXPECTED = (
    EngineUnavailable, StoreUnavailable, InvalidSettings, SourceError, keeping.Shrunk, OSError,
)  # fmt: skip
_out = Console(highlight=False, markup=False, soft_wrap=True)
_err = Console(highlight=False, markup=False, soft_wrap=True, stderr=True)


@click.group()
def main() -> None:
    r"""Load listings into the store and keep the search index in step with it.

    \b
    Exit codes: 0 all done; 1 failed (what was stored until then stays: run it again);
    2 wrong use; 3 loaded, but some records were rejected; 4 the index is missing or behind.
    """


@main.command()
@click.argument("source", type=click.Choice(sorted(SOURCES)))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Tell what would change; change nothing.")
def load(source: str, files: tuple[Path, ...], *, dry_run: bool) -> None:
    """Load FILES of a SOURCE (csv, jsonl, nppes) into the store.

    Records that cannot be taken are written to var/rejects/NAME with row, field and reason; mend
    them there and load that file.
    """
    with _opened() as opened:
        if missing := [str(path) for path in files if not path.is_file()]:
            raise SourceError(f"no such file: {', '.join(missing)}")
        folder = None if dry_run else settings().rejects_folder
        loader = Loader(opened.database, opened.places, opened.clock, folder)
        rejected = 0
        for path in files:
            with _progress(f"Loading {path.name}", path.stat().st_size) as (bar, task):
                summary = loader.load(SOURCES[source], path, partial(_update, bar, task))
            _tell(path, summary, dry_run=dry_run)
            rejected += summary.counts[Result.REJECTED]
    sys.exit(REJECTED if rejected else 0)


@main.command()
@click.option("--follow", is_flag=True, help="Go on for ever, once a second.")
@click.option("--accept-lapses", is_flag=True, help="Hide even more than 5 % as out of date.")
def sync(*, follow: bool, accept_lapses: bool) -> None:
    """Bring the search index up to the store; rebuild it where there is none."""
    with _opened() as opened:
        if follow:
            keeping.follow(
                opened.database, opened.engine, opened.clock, _say, accept_lapses=accept_lapses
            )
        in_order = keeping.grow_old(
            opened.database, opened.clock, _say, accept_lapses=accept_lapses
        )
        with _progress("Syncing", None) as (bar, task):
            applied = keeping.sync(opened.database, opened.engine, partial(bar.advance, task))
    _say(f"brought {applied:,} listings up to date")
    sys.exit(0 if in_order else FAILED)


@main.command()
@click.option("--accept-shrink", is_flag=True, help="Serve it even if it holds far less.")
def rebuild(*, accept_shrink: bool) -> None:
    """Make the search index anew and swap it in; searches are answered throughout."""
    with _opened() as opened, _progress("Rebuilding", None) as (bar, task):
        listings = keeping.rebuild(
            opened.database,
            opened.engine,
            partial(bar.advance, task),
            accept_shrink=accept_shrink,
        )
    _say(f"the new index holds {listings:,} listings")


@main.command()
def status() -> None:
    """Tell how many listings there are, and how far the index is behind (exit 4 if it is)."""
    with _opened() as opened:
        with opened.database.reading() as session:
            standing = counts(session)
        state = keeping.status(opened.database, opened.engine)
    for each in Status:
        _say(f"{each.replace('_', ' ')}: {standing[each]:,}")
    if state.behind is None:
        _say("index: none; run `indexer sync`")
    else:
        _say(f"index: {state.indexed:,} listings, {state.behind:,} changes behind")
    sys.exit(NOT_IN_STEP if state.behind != 0 else 0)


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def gazetteer(files: tuple[Path, ...]) -> None:
    """Add the Census Bureau's gazetteer FILES: populations, and places that are no post office.

    The files of one command replace those of the last. The site reads them when it starts.
    """
    try:
        kept = save((place for path in files for place in read(path)), settings().gazetteer_file)
    except (GazetteerFileError, InvalidSettings, UnicodeDecodeError, OSError) as error:
        _fail(error)
    _say(f"kept {kept:,} places; they are used from the next start on")


def _tell(path: Path, summary: Summary, *, dry_run: bool) -> None:
    counted = ", ".join(f"{summary.counts[result]:,} {result}" for result in Result)
    rehearsed = " (nothing was changed)" if dry_run else ""
    _say(f"{path.name}: read {summary.read:,} = {counted}{rehearsed}")
    if dry_run:
        for example in summary.examples:
            _say(f"  {example}")
    if summary.rejects:
        _say(f"rejected records, with reasons: {summary.rejects}")


def _say(line: str) -> None:
    _out.print(line)


def _update(bar: Progress, task: TaskID, completed: int) -> None:
    bar.update(task, completed=completed)


@contextmanager
def _opened() -> Iterator[Services]:
    """The services, with the store's tables up to date; what goes wrong ends in one line."""
    try:
        opened = services(settings())
        opened.database.migrate()
        try:
            yield opened
        finally:
            opened.close()
    except _EXPECTED as error:
        _fail(error)


def _fail(error: Exception) -> None:
    _err.print(f"Error: {error}")
    sys.exit(FAILED)


@contextmanager
def _progress(what: str, total: int | None) -> Iterator[tuple[Progress, TaskID]]:
    """A bar on a terminal; elsewhere nothing, the plain lines at the end say it all."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err, disable=not _err.is_terminal) as bar:
        yield bar, bar.add_task(what, total=total)
