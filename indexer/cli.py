"""The command `indexer`: load sources into the store, keep the search index in step."""

import json
import sys
from pathlib import Path

import click

from directory.aging import grow_old
from directory.places.census import GazetteerFileError, read, save
from directory.settings import InvalidSettings, settings
from indexer import status as standing
from indexer import sync as keeping
from indexer.cli_load import load
from indexer.console import (
    FAILED,
    NOT_IN_STEP,
    complain,
    err,
    fail,
    no_garbage_collection,
    opened,
    say,
    told_to_stop,
)
from indexer.geocode import upgrade
from indexer.progress import Reporter
from indexer.sources.columns import template_rows


@click.group()
def main() -> None:
    """Load listings into the store and keep the search index in step with it.

    \b
    Exit codes: 0 all done; 1 failed (what was stored until then stays: run it again);
    2 wrong use; 3 loaded, but some records were rejected; 4 the index is missing or behind;
    130 and 143: a load was stopped by Ctrl-C or SIGTERM (run it again).
    """  # noqa: D301  # click's own mark


main.add_command(load)


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
        in_order = grow_old(found.database, found.clock, say, accept_lapses=accept_lapses)
        with Reporter(err, "Syncing", None) as reporter:
            applied = keeping.sync(found.database, found.engine, reporter.advanced)
    say(f"brought {applied:,} listings up to date")
    sys.exit(0 if in_order else FAILED)


@main.command()
@click.option("--accept-shrink", is_flag=True, help="Serve it even if it holds far less.")
def rebuild(*, accept_shrink: bool) -> None:
    """Make the search index anew and swap it in; searches are answered throughout."""
    no_garbage_collection()
    with opened() as found, Reporter(err, "Rebuilding", None) as reporter:
        listings = keeping.rebuild(
            found.database, found.engine, reporter.advanced, accept_shrink=accept_shrink
        )
    say(f"the new index holds {listings:,} listings")


@main.command()
def rollback() -> None:
    """Answer searches from the index that the last rebuild has replaced; again: back to the new.

    What has changed since then is brought in at once.
    """
    with opened() as found:
        served = keeping.roll_back(found.database, found.engine)
    if not served:
        fail("there is no other index: the one before is kept until the next rebuild")
    say(f"generation {served.generation} answers now: {served.documents:,} listings")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def status(*, as_json: bool) -> None:
    """Tell how many listings there are, how far the index is behind, and what was loaded last.

    Exit code 4 if the index is missing or behind, or has refused a listing.
    """
    with opened() as found:
        said, failed = standing.look(found)
    if failed:
        complain(failed)
    for line in [json.dumps(said, indent=2)] if as_json else standing.lines(said):
        say(line)
    index = said["index"]
    sys.exit(NOT_IN_STEP if index["behind_changes"] != 0 or index["left_out"] else 0)


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
