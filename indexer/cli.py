"""The command `indexer`: load sources into the store, keep the search index in step."""

import gc
import json
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from directory.places.census import GazetteerFileError, read, save
from directory.places.place import PlacesUnavailable
from directory.search.engine import EngineUnavailable
from directory.services import Services, services
from directory.settings import InvalidSettings, settings
from directory.states import STATE_NAMES
from directory.store import loads
from directory.store.database import StoreUnavailable
from directory.store.listings import Status, counts
from indexer import normalise
from indexer import sync as keeping
from indexer.geocode import upgrade
from indexer.load import Loader
from indexer.progress import Reporter
from indexer.sources.clinics import Clinics
from indexer.sources.csv import Csv, template_rows
from indexer.sources.fhir import Fhir
from indexer.sources.files import SourceError
from indexer.sources.jsonl import Jsonl
from indexer.sources.nppes import Nppes
from indexer.sources.record import RecordSource
from indexer.summary import Result, Summary

SOURCES = ("clinics", "csv", "fhir", "jsonl", "nppes")

REJECTED, FAILED, NOT_IN_STEP = 3, 1, 4
"""Exit codes beside 0 (all done) and 2 (wrong use): some records were rejected; something could not
be done; the index is missing or behind."""

_EXPECTED = (
    EngineUnavailable, StoreUnavailable, PlacesUnavailable, InvalidSettings, SourceError,
    keeping.Shrunk, keeping.Unfit, OSError,
)  # fmt: skip
_REASONS_TOLD = 5
_out = Console(highlight=False, markup=False, soft_wrap=True)
_err = Console(highlight=False, markup=False, soft_wrap=True, stderr=True)


@click.group()
def main() -> None:
    """Load listings into the store and keep the search index in step with it.

    \b
    Exit codes: 0 all done; 1 failed (what was stored until then stays: run it again);
    2 wrong use; 3 loaded, but some records were rejected; 4 the index is missing or behind.
    """  # noqa: D301  # click's own mark


@main.command()
@click.argument("source", type=click.Choice(SOURCES))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Tell what would change; change nothing.")
@click.option("--accept-withdrawals", is_flag=True, help="Withdraw even more than 5 %.")
@click.option("--origin", metavar="NAME", help="Whose list it is: ids of two lists may be alike.")
@click.option("--ignore-unknown", is_flag=True, help="csv: leave columns out that are not known.")
@click.option("--taxonomy", multiple=True, help="nppes: only these, or what begins so.")
@click.option(
    "--state",
    multiple=True,
    callback=lambda _, __, values: _states(values),
    help="nppes: only practices in these states.",
)
def load(
    source: str,
    files: tuple[Path, ...],
    *,
    dry_run: bool,
    accept_withdrawals: bool,
    origin: str | None,
    ignore_unknown: bool,
    taxonomy: tuple[str, ...],
    state: tuple[str, ...],
) -> None:
    """Load FILES of a SOURCE into the store: plain, gzipped, or in zips.

    Records that cannot be taken are written to var/rejects/NAME with row, field and reason; mend
    them there and load that file.
    """
    opens: dict[str, RecordSource] = {
        "clinics": Clinics(),
        "csv": Csv(ignore_unknown),
        "fhir": Fhir(),
        "jsonl": Jsonl(),
        "nppes": Nppes(taxonomy, state),
    }
    if (taxonomy or state) and source != "nppes":
        raise click.UsageError("--taxonomy and --state are for nppes only")
    rejected, failed = 0, False
    with _opened() as opened:
        folder = None if dry_run else settings().rejects_folder
        loader = Loader(
            opened.database, opened.places, opened.clock, folder, origin, accept_withdrawals
        )
        _no_garbage_collection()
        for part in opens[source].parts(files):
            try:
                with Reporter(_err, f"Loading {part.name}", part.size) as reporter:
                    summary = loader.load(opens[source], part, reporter.loaded)
            except SourceError as error:  # the next file may well be one
                _err.print(f"Error: {error}")
                failed = True
                continue
            _tell(part.name, summary, dry_run=dry_run)
            rejected += summary.counts[Result.REJECTED]
            failed = failed or summary.withheld > 0
    sys.exit(FAILED if failed else REJECTED if rejected else 0)


@main.command()
@click.argument("source", type=click.Choice(["csv"]))
def template(source: str) -> None:  # noqa: ARG001  # the only one that has one
    """Write an empty file with all columns and a comment row that says what goes where."""
    for row in template_rows():
        _out.print(row)


@main.command()
@click.option(
    "--per-second",
    type=click.FloatRange(0.01, 50),
    default=1.0,
    show_default=True,
    help="How often to ask, at most.",
)
@click.option("--limit", type=click.IntRange(1), help="Ask for no more addresses than this.")
def geocode(*, per_second: float, limit: int | None) -> None:
    """Find the exact points of addresses with the service of DIRECTORY_GEOCODER.

    It may be stopped at any time, and goes on where it was. Points that a clinic or a list has
    given are never moved.
    """
    with _opened() as opened:
        finder = opened.places.finder(per_second)
        with Reporter(_err, "Geocoding", limit) as reporter:
            done = upgrade(
                opened.database, opened.places, finder, opened.clock, reporter.geocoded, limit=limit
            )
    _say(f"moved {done.moved:,} listings")
    if finder:
        _say(f"asked {finder.name} {done.asked:,} times, {done.unknown:,} in vain")
    else:
        _say("asked nobody: no service is set (DIRECTORY_GEOCODER)")


@main.command()
@click.option("--follow", is_flag=True, help="Go on for ever, once a second.")
@click.option("--accept-lapses", is_flag=True, help="Hide even more than 5 % as out of date.")
def sync(*, follow: bool, accept_lapses: bool) -> None:
    """Bring the search index up to the store; rebuild it where there is none."""
    with _opened() as opened:
        if follow:
            keeping.follow(
                opened.database,
                opened.engine,
                opened.clock,
                _say,
                _told_to_stop(),
                accept_lapses=accept_lapses,
            )
            return
        in_order = keeping.grow_old(
            opened.database, opened.clock, _say, accept_lapses=accept_lapses
        )
        with Reporter(_err, "Syncing", None) as reporter:
            applied = keeping.sync(opened.database, opened.engine, reporter.advanced)
    _say(f"brought {applied:,} listings up to date")
    sys.exit(0 if in_order else FAILED)


@main.command()
@click.option("--accept-shrink", is_flag=True, help="Serve it even if it holds far less.")
def rebuild(*, accept_shrink: bool) -> None:
    """Make the search index anew and swap it in; searches are answered throughout."""
    _no_garbage_collection()
    with _opened() as opened, Reporter(_err, "Rebuilding", None) as reporter:
        listings = keeping.rebuild(
            opened.database, opened.engine, reporter.advanced, accept_shrink=accept_shrink
        )
    _say(f"the new index holds {listings:,} listings")


@main.command()
def rollback() -> None:
    """Answer searches from the index that the last rebuild has replaced; again: back to the new.

    It is as old as it was then. `indexer sync` brings it up to date.
    """
    with _opened() as opened:
        served = opened.engine.roll_back()
    if not served:
        _err.print("Error: there is no other index: the one before is kept until the next rebuild")
        sys.exit(FAILED)
    _say(f"generation {served.generation} answers now: {served.documents:,} listings")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def status(*, as_json: bool) -> None:
    """Tell how many listings there are, how far the index is behind, and what was loaded last.

    Exit code 4 if the index is missing or behind.
    """
    with _opened() as opened:
        with opened.database.reading() as session:
            standing = counts(session)
            last = loads.last(session)
        now = opened.clock()
        try:
            state = keeping.status(opened.database, opened.engine)
        except EngineUnavailable as error:
            _err.print(f"Error: {error}")
            state = keeping.Status(0)
    waited = (now - state.waiting_since).total_seconds() if state.waiting_since else 0.0
    said = {
        "listings": {str(each): standing[each] for each in Status},
        "index": {
            "generation": state.generation,
            "documents": state.indexed,
            "behind_changes": state.behind,
            "behind_seconds": round(waited, 1),
        },
        "loads": [
            {
                "source": each.source,
                "file": each.file,
                "started_at": each.started_at.isoformat(),
                "finished_at": each.finished_at and each.finished_at.isoformat(),
                "counts": dict(each.counts),
            }
            for each in last
        ],
    }
    if as_json:
        _say(json.dumps(said, indent=2))
    else:
        _tell_status(said)
    sys.exit(NOT_IN_STEP if state.behind != 0 else 0)


def _tell_status(said: Mapping[str, Any]) -> None:
    for name, count in said["listings"].items():
        _say(f"{name.replace('_', ' ')}: {count:,}")
    index = said["index"]
    if index["behind_changes"] is None:
        _say("index: none; run `indexer sync`")
    else:
        _say(
            f"index: {index['documents']:,} listings, {index['behind_changes']:,} changes "
            f"({index['behind_seconds']:,.0f} seconds) behind, generation {index['generation']}"
        )
    for each in said["loads"]:
        ended = each["finished_at"] or "cut short: run it again"
        what = ", ".join(f"{count:,} {name}" for name, count in each["counts"].items())
        _say(f"last load of {each['source']}: {each['file']}, {ended}{what and f': {what}'}")


def _no_garbage_collection() -> None:
    """What a batch makes is freed without it; looking for cycles doubled the time of a load.

    Memory stays flat (benchmarks/indexing.md): there are hardly any cycles.
    """
    gc.freeze()
    gc.disable()


def _states(values: tuple[str, ...]) -> tuple[str, ...]:
    states = tuple(map(normalise.state, values))
    if unknown := [each for each in states if each not in STATE_NAMES]:
        raise click.BadParameter(f"{unknown[0]!r} is no state")
    return states


def _told_to_stop() -> threading.Event:
    """Set once the process is asked to end."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


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


def _tell(name: str, summary: Summary, *, dry_run: bool) -> None:
    counted = ", ".join(f"{summary.counts[result]:,} {result}" for result in Result)
    rehearsed = " (nothing was changed)" if dry_run else ""
    _say(f"{name}: read {summary.read:,} = {counted}{rehearsed}")
    for result, reasons in summary.why.items():
        for reason, count in reasons.most_common(_REASONS_TOLD):
            _say(f"  {count:,} {result}: {reason}")
    if dry_run:
        for example in summary.examples:
            _say(f"  {example}")
    if summary.withheld:
        _err.print(
            f"Error: {summary.withheld:,} listings would be withdrawn, more than 5 % of what this "
            "source has said; none was. If that is right, load again with --accept-withdrawals."
        )
    if summary.rejects:
        _say(f"rejected records, with reasons: {summary.rejects}")


def _say(line: str) -> None:
    _out.print(line)


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
