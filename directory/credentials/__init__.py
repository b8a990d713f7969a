"""What a listing's credentials mean, and do not mean: one plain sentence each, with its source.

A note never claims more than its source does, and carries the source and the date.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from directory.credentials.rules import Rule, RuleStatus, rule
from directory.language import gettext, marked
from directory.listing import Certificate, Listing, Provenance, Source
from directory.states import STATE_NAMES
from directory.vocabulary import Kind, vocabulary

Basis = Literal["state rule", "checked", "practice", "list", "registry", "general"]

_BASIS: Mapping[Source, Basis] = {
    Source.MODERATOR: "checked",
    Source.CLINIC: "practice",
    Source.FILE: "list",
    Source.FHIR: "list",
    Source.NPPES: "registry",
}
_SAYS = {
    Source.MODERATOR: marked(
        "A moderator of this directory has made sure that dry needling is offered here."
    ),
    Source.CLINIC: marked("The practice says that dry needling is offered here."),
    Source.FILE: marked(
        "A list that was given to this directory says that dry needling is offered here."
    ),
    Source.FHIR: marked("Another directory says that dry needling is offered here."),
    Source.NPPES: marked("The national registry says that dry needling is offered here."),
}


_CONFIDENCE = {
    "high": marked("Our confidence: high. Rules change; ask the board."),
    "medium": marked("Our confidence: medium. Rules change; ask the board."),
}


@dataclass(frozen=True)
class CredentialNote:
    """One sentence about a credential. `source` is a name or a web address, `as_of` its date."""

    about: str
    text: str
    basis: Basis
    source: str
    as_of: str
    detail: str = ""


def notes(listing: Listing) -> tuple[CredentialNote, ...]:
    """What there is to say of a listing's credentials, the most important first."""
    return (
        _offer(listing),
        _state_rule(listing),
        *_licence(listing),
        *(_certificate(each, listing) for each in listing.certificates),
        *_letters(listing),
    )


def held_because(listing: Listing) -> str | None:
    """Why a claim to offer dry needling waits for review: the state's rule bars it, or None.

    What a moderator has said is reviewed already.
    """
    found = rule(listing.address.state, listing.profession)
    if not found or found.status is not RuleStatus.PROHIBITED or not listing.confirmed:
        return None
    if listing.provenance["dry_needling"].source is Source.MODERATOR:
        return None
    return (
        f"{_subject(found)} may not do dry needling, by the rule that we know "
        f"({found.source_url}, {found.source_date}); the rule may have changed."
    )


def _offer(listing: Listing) -> CredentialNote:
    said = listing.provenance.get("dry_needling")
    if listing.confirmed and said:
        return _note(gettext("Dry needling"), gettext(_SAYS[said.source]), said)
    text = gettext("Nobody has said whether dry needling is offered here: ask before you book.")
    origin = listing.provenance["profession"]
    if origin.source is Source.NPPES:
        said_no_more = gettext("The registry tells who is licensed, not who does dry needling.")
        text = f"{text} {said_no_more}"
    return _note(gettext("Dry needling"), text, origin)


def _note(about: str, text: str, said: Provenance) -> CredentialNote:
    return CredentialNote(about, text, _BASIS[said.source], said.source, said.as_of.isoformat())


def _state_rule(listing: Listing) -> CredentialNote:
    found = rule(listing.address.state, listing.profession)
    about = gettext("The rule in %(state)s", state=STATE_NAMES[listing.address.state])
    if not found:
        text = gettext(
            "We have not checked the rule for this profession in this state: ask the board."
        )
        return CredentialNote(about, text, "general", "this directory", "not checked")
    caution = gettext(_CONFIDENCE[found.confidence])
    text = f"{_rule_sentence(found)} {caution}"
    note = gettext(found.note) if found.note else ""
    return CredentialNote(about, text, "state rule", found.source_url, found.source_date, note)


def _rule_sentence(found: Rule) -> str:
    who, hours = _subject(found), found.min_training_hours
    match found.status:
        case RuleStatus.PROHIBITED:
            return gettext("%(who)s may not do dry needling.", who=who)
        case RuleStatus.NOT_ADDRESSED:
            return gettext(
                "The state's law does not mention dry needling by %(who)s.", who=who.lower()
            )
        case RuleStatus.PERMITTED_WITH_TRAINING if hours:
            return gettext(
                "%(who)s may do dry needling after training of at least %(hours)s hours.",
                who=who,
                hours=hours,
            )
        case RuleStatus.PERMITTED_WITH_TRAINING:
            return gettext("%(who)s may do dry needling on terms that the state sets.", who=who)
        case RuleStatus.PERMITTED:
            return gettext(
                "%(who)s may do dry needling. That does not mean that no training is asked for.",
                who=who,
            )


def _subject(found: Rule) -> str:
    (term,) = (t for t in vocabulary().terms(Kind.PROFESSION) if t.value == found.profession)
    return gettext(term.plural)


def _licence(listing: Listing) -> Iterator[CredentialNote]:
    if check := listing.licence_check:
        yield CredentialNote(
            gettext("License"),
            gettext(
                "A moderator looked the license up at the board of %(state)s.",
                state=STATE_NAMES[check.state],
            ),
            "checked",
            "moderator",
            check.checked_on.isoformat(),
        )
    origin = listing.provenance.get("taxonomies")
    licences = dict.fromkeys((t.licence_state, t.licence_number) for t in listing.taxonomies)
    for state, number in licences:
        if state and number and origin:
            text = gettext(
                "The record gives license %(number)s of %(state)s. Whoever registers enters it; "
                "only the state's board can say whether it is active.",
                number=number,
                state=STATE_NAMES[state],
            )
            yield _note(gettext("License"), text, origin)


def _certificate(certificate: Certificate, listing: Listing) -> CredentialNote:
    about = gettext("Certificate")
    hours = gettext("%(hours)s hours", hours=certificate.hours) if certificate.hours else None
    year = str(certificate.year) if certificate.year else None
    named = ", ".join(filter(None, (certificate.title, certificate.issuer, hours, year)))
    if certificate.verified_on:
        on = certificate.verified_on.isoformat()
        said = gettext("A moderator saw the certificate.")
        return CredentialNote(about, f"{named}. {said}", "checked", Source.MODERATOR, on)
    said = gettext("Reported, not checked. Course providers are no regulators.")
    return _note(about, f"{named}. {said}", listing.provenance["certificates"])


def _letters(listing: Listing) -> Iterator[CredentialNote]:
    for letters in listing.letters:
        if row := _meanings().get(letters.replace(".", "").upper()):
            text = f"{gettext(row['meaning'])}. {gettext(row['note'])}"
            yield CredentialNote(letters, text, "general", row["source"], row["as_of"])


def letters_known() -> frozenset[str]:
    """The letters after a name whose meaning we know, in capitals and without points."""
    return frozenset(_meanings())


@cache
def _meanings() -> Mapping[str, Mapping[str, str]]:
    with (Path(__file__).parent / "letters.csv").open(encoding="utf-8", newline="") as file:
        return {row["letters"]: row for row in csv.DictReader(file)}
