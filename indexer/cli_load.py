"""The command `indexer load`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from directory.settings import settings
from directory.states import STATE_NAMES
from directory.store import loads
from directory.store.loads import Load
from indexer import normalise
from indexer.console import (
    FAILED,
    REJECTED,
    complain,
    err,
    no_garbage_collection,
    opened,
    say,
    stoppable,
)
from indexer.load import Loader, Progress
from indexer.origin import ORIGIN
from indexer.progress import Reporter
from indexer.sources.clinics import Clinics
from indexer.sources.csv import Csv
from indexer.sources.fhir import Fhir
from indexer.sources.files import Part
from indexer.sources.jsonl import Jsonl
from indexer.sources.nppes import Nppes
from indexer.sources.record import RecordSource
from indexer.summary import Result, Summary, counted, lines

SOURCES = tuple(source.NAME for source in (Clinics, Csv, Fhir, Jsonl, Nppes))

_STOPPED = (
    "Stopped. What was stored until then stays: run the same command again and it goes on. What it "
    "would withdraw is withdrawn at its end."
)  # fmt: skip
_REHEARSAL_STOPPED = "Stopped; nothing was changed."


@click.command()
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
        no_garbage_collection()
        with found.database.reading() as session:
            before = [each for each in loads.last(session) if each.source == chosen.NAME]
        summaries = loader.load(chosen, chosen.parts(files), partial(_watched, check_stopped))
        _tell(summaries, before, dry_run=dry_run)
    if any(each.error or each.withheld for each in summaries):
        sys.exit(FAILED)
    sys.exit(REJECTED if any(each.counts[Result.REJECTED] for each in summaries) else 0)


@contextmanager
def _watched(check_stopped: Callable[[], None], part: Part) -> Iterator[Progress]:
    with Reporter(err, f"Loading {part.name}", part.size) as reporter:

        def progress(read_bytes: int, summary: Summary) -> None:
            check_stopped()
            reporter.loaded(read_bytes, summary)

        yield progress


def _tell(summaries: list[Summary], before: list[Load], *, dry_run: bool) -> None:
    for summary in summaries:
        for line in lines(summary, rehearsal=dry_run):
            say(line)
        if summary.error:
            complain(summary.error)
    for each in before:
        say(f"the last time: {each.file}, {each.started_at:%Y-%m-%d}: {counted(each.counts)}")
    if withheld := sum(each.withheld for each in summaries):
        complain(
            f"{withheld:,} listings would be withdrawn, more than 5 % of what this "
            "source has said; none was. If that is right, load again with --accept-withdrawals."
        )


def _states(values: tuple[str, ...]) -> tuple[str, ...]:
    states = tuple(map(normalise.state, values))
    if unknown := [each for each in states if each not in STATE_NAMES]:
        raise click.BadParameter(f"{unknown[0]!r} is no state")
    return states


def _origin(value: str | None) -> str | None:
    if value is not None and not ORIGIN.fullmatch(value):
        raise click.BadParameter(f"{value!r} is not 1 to 40 of a-z, 0-9 and -")
    return value
