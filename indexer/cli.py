"""The command `indexer`: load sources into the store, keep the search index in step."""

import gc
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from directory.places.census import GazetteerFileError, read, save
from directory.settings import InvalidSettings, settings
from directory.states import STATE_NAMES
from indexer import normalise
from indexer import status as standing
from indexer import sync as keeping
from indexer.console import (
    FAILED,
    NOT_IN_STEP,
    REJECTED,
    complain,
    err,
    fail,
    opened,
    say,
    stoppable,
    told_to_stop,
)
from indexer.geocode import upgrade
from indexer.load import Loader, Progress
from indexer.origin import ORIGIN
from indexer.progress import Reporter
from indexer.sources.clinics import Clinics
from indexer.sources.columns import template_rows
from indexer.sources.csv import Csv
from indexer.sources.fhir import Fhir
from indexer.sources.files import Part
from indexer.sources.jsonl import Jsonl
from indexer.sources.nppes import Nppes
from indexer.sources.record import RecordSource
from indexer.summary import Result, Summary, lines

SOURCES = tuple(source.NAME for source in (Clinics, Csv, Fhir, Jsonl, Nppes))

_STOPPED = (
    "Stopped. What was stored until then stays: run the same command again and it goes on. What it "
    "would withdraw is withdrawn at its end."
)  # fmt: skip
_REHEARSAL_STOPPED = "Stopped; nothing was changed."


@click.group()
def main() -> None:
    """Load listings into the store and keep the search index in step with it.

    \b
    Exit codes: 0 all done; 1 failed (what was stored until then stays: run it again);
    2 wrong use; 3 loaded, but some records were rejected; 4 the index is missing or behind;
    130 and 143: a load was stopped by Ctrl-C or SIGTERM (run it again).
    """  # noqa: D301  # click's own mark


@main.command()
@click.argument("source", type=click.Choice(SOURCES))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--dry-run", is_flag=True, help="Tell what would change, write rejects; change nothing."
)
@click.option("--accept-withdrawals", is_flag=True, help="Withdraw even more than 5 %.")
@click.option(
    "--origin",
    metavar="NAME",
    callback=lambda _, __, value: _origin(value),
    help="Whose list it is (a-z 0-9 -): ids of two lists may be alike.",
)
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
    them there and load that file. A dry run writes them too; nobody else can write to the store
    until it is through.
    """
    sources: tuple[RecordSource, ...] = (
        Clinics(), Csv(ignore_unknown), Fhir(), Jsonl(), Nppes(taxonomy, state),
    )  # fmt: skip
    if (taxonomy or state) and source != Nppes.NAME:
        raise click.UsageError("--taxonomy and --state are for nppes only")
    (chosen,) = (each for each in sources if source == each.NAME)
    word = _REHEARSAL_STOPPED if dry_run else _STOPPED
    with stoppable(word) as check_stopped, opened() as found:
        loader = Loader(
            found.database, found.places, found.clock, settings().rejects_folder, origin,
            accept_withdrawals=accept_withdrawals, rehearsal=dry_run,
        )  # fmt: skip
        _no_garbage_collection()
        summaries = loader.load(chosen, chosen.parts(files), partial(_watched, check_stopped))
        _tell(summaries, dry_run=dry_run)
    if any(each.error or each.withheld for each in summaries):
        sys.exit(FAILED)
    sys.exit(REJECTED if any(each.counts[Result.REJECTED] for each in summaries) else 0)


@main.command()
@click.argument("source", type=click.Choice(["csv"]))
def template(source: str) -> None:  # noqa: ARG001  # the only one that has one
    """Write an empty file with all columns and a comment row that says what goes where."""
    for row in template_rows():
        say(row)


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
    with opened() as found:
        finder = found.places.finder(per_second)
        with Reporter(err, "Geocoding", limit) as reporter:
            done = upgrade(
                found.database, found.places, finder, found.clock, reporter.geocoded, limit=limit
            )
    say(f"moved {done.moved:,} listings")
    if finder:
        say(f"asked {finder.name} {done.asked:,} times, {done.unknown:,} in vain")
    else:
        say("asked nobody: no service is set (DIRECTORY_GEOCODER)")


@main.command()
@click.option("--follow", is_flag=True, help="Go on for ever, once a second.")
@click.option("--accept-lapses", is_flag=True, help="Hide even more than 5 % as out of date.")
def sync(*, follow: bool, accept_lapses: bool) -> None:
    """Bring the search index up to the store; rebuild it where there is none."""
    with opened() as found:
        if follow:
            keeping.follow(
                found.database,
                found.engine,
                found.clock,
                say,
                told_to_stop(),
                accept_lapses=accept_lapses,
            )
            return
        in_order = keeping.grow_old(found.database, found.clock, say, accept_lapses=accept_lapses)
        with Reporter(err, "Syncing", None) as reporter:
            applied = keeping.sync(found.database, found.engine, reporter.advanced)
    say(f"brought {applied:,} listings up to date")
    sys.exit(0 if in_order else FAILED)


@main.command()
@click.option("--accept-shrink", is_flag=True, help="Serve it even if it holds far less.")
def rebuild(*, accept_shrink: bool) -> None:
    """Make the search index anew and swap it in; searches are answered throughout."""
    _no_garbage_collection()
    with opened() as found, Reporter(err, "Rebuilding", None) as reporter:
        listings = keeping.rebuild(
            found.database, found.engine, reporter.advanced, accept_shrink=accept_shrink
        )
    say(f"the new index holds {listings:,} listings")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def status(*, as_json: bool) -> None:
    """Tell how many listings there are, how far the index is behind, and what was loaded last.

    Exit code 4 if the index is missing or behind.
    """
    with opened() as found:
        said, failed = standing.look(found)
    if failed:
        complain(failed)
    for line in [json.dumps(said, indent=2)] if as_json else standing.lines(said):
        say(line)
    sys.exit(NOT_IN_STEP if said["index"]["behind_changes"] != 0 else 0)


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def gazetteer(files: tuple[Path, ...]) -> None:
    """Add the Census Bureau's gazetteer FILES: populations, and places that are no post office.

    The files of one command replace those of the last. The site reads them when it starts.
    """
    try:
        kept = save((place for path in files for place in read(path)), settings().gazetteer_file)
    except (GazetteerFileError, InvalidSettings, UnicodeDecodeError, OSError) as error:
        fail(error)
    say(f"kept {kept:,} places; they are used from the next start on")


@contextmanager
def _watched(check_stopped: Callable[[], None], part: Part) -> Iterator[Progress]:
    with Reporter(err, f"Loading {part.name}", part.size) as reporter:

        def progress(read_bytes: int, summary: Summary) -> None:
            check_stopped()
            reporter.loaded(read_bytes, summary)

        yield progress


def _tell(summaries: list[Summary], *, dry_run: bool) -> None:
    for summary in summaries:
        for line in lines(summary, rehearsal=dry_run):
            say(line)
        if summary.error:
            complain(summary.error)
    if withheld := sum(each.withheld for each in summaries):
        complain(
            f"{withheld:,} listings would be withdrawn, more than 5 % of what this "
            "source has said; none was. If that is right, load again with --accept-withdrawals."
        )


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


def _origin(value: str | None) -> str | None:
    if value is not None and not ORIGIN.fullmatch(value):
        raise click.BadParameter(f"{value!r} is not 1 to 40 of a-z, 0-9 and -")
    return value
