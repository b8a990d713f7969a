"""The columns of a list of practitioners: their names, and what else people call them."""

import csv
import io
import re
from collections.abc import Iterator, Mapping

from directory.vocabulary import Kind, vocabulary
from indexer.sources import rejected_rows

COLUMNS: Mapping[str, str] = {
    "id": "listing_id external_id record_id",
    "npi": "npi_number provider_npi national_provider_identifier",
    "name": "provider_name full_name practitioner practitioner_name provider",
    "given_name": "first_name first firstname provider_first_name frst_nm given",
    "middle_name": "middle middlename middle_initial mi mid_nm provider_middle_name",
    "family_name": "last_name last lastname surname provider_last_name lst_nm family",
    "suffix": "name_suffix suff",
    "letters": "credentials credential cred degrees degree",
    "profession": "provider_type practitioner_type",
    "specialty": "primary_specialty pri_spec specialties taxonomy taxonomy_code",
    "gender": "sex gndr",
    "clinic": "clinic_name practice practice_name facility facility_name organization "
    "organization_name org_nm business_name",
    "line1": "address address_1 address1 address_line_1 adr_ln_1 street street_address",
    "line2": "address_2 address2 address_line_2 adr_ln_2 suite unit",
    "city": "city_town citytown city_name town",
    "state": "st state_code province",
    "postal_code": "zip zip_code zipcode zip5 postcode postal",
    "area_only": "hide_address",
    "lat": "latitude",
    "lon": "lng long longitude",
    "precision": "location_precision",
    "phone": "telephone tel phone_number telephone_number telephn_number work_phone",
    "website": "web url web_address site web_site",
    "booking_url": "booking book_online appointment_url",
    "setting": "practice_setting",
    "private_room": "private_rooms",
    "wheelchair_access": "wheelchair wheelchair_accessible accessible",
    "home_visits": "home_visit house_calls mobile",
    "telehealth": "telemedicine video_visits",
    "hours": "opening_hours office_hours business_hours",
    "languages": "language languages_spoken",
    "about": "description bio notes",
    "dry_needling": "offers_dry_needling",
    "techniques": "technique",
    "conditions": "condition conditions_treated treats",
    "single_use_needles": "sterile_single_use_needles",
    "insurance_accepted": "insurance insurances insurers accepted_insurance plans_accepted",
    "insurance_refused": "insurance_not_accepted",
    "cash_pay": "self_pay cash",
    "superbill": "superbills",
    "accepting": "new_patients accepting_new_patients",
    "accepting_from": "accepting_again_from paused_until",
    "first_visit_least": "first_visit_price_min",
    "first_visit_most": "first_visit_price_max first_visit_price",
    "follow_up_least": "follow_up_price_min",
    "follow_up_most": "follow_up_price_max follow_up_price",
    "visit_minutes_least": "visit_minutes_min",
    "visit_minutes_most": "visit_minutes_max visit_minutes",
    "typical_visits_least": "typical_visits_min",
    "typical_visits_most": "typical_visits_max typical_visits",
    "attested_on": "attested confirmed_on last_confirmed",
    "attested_by": "confirmed_by",
}
"""Every column, with the other spellings that are understood (in small letters, joined by _)."""

_NAMED = {
    **{name: name for name in rejected_rows.REJECTED},
    **{other: name for name, others in COLUMNS.items() for other in (name, *others.split())},
}
TERM_LISTS = ("languages", "techniques", "conditions", "insurance_accepted", "insurance_refused")
ANSWERS = (
    "private_room", "wheelchair_access", "home_visits", "telehealth", "dry_needling",
    "single_use_needles", "cash_pay", "superbill", "accepting",
)  # fmt: skip


def template_rows() -> Iterator[str]:
    """The header of an empty file, and a comment row that says what goes where."""
    says = {
        "id": "# your own name for the row; it must stay the same",
        "profession": " | ".join(t.value for t in vocabulary().terms(Kind.PROFESSION)),
        "specialty": "instead of profession: rows of other specialties are skipped",
        "name": "or the parts of the name in the columns that follow",
        "letters": "PT; DPT",
        "postal_code": "the practice address, never the mailing address",
        "area_only": "yes hides the street",
        "precision": " | ".join(("rooftop", "street", "postal_code", "city")),
        "hours": "Mo-Fr 08:00-17:00; Sa 09:00-12:00",
        "accepting_from": "2027-01-31; where accepting is no until then",
        "attested_on": "2026-11-25",
        **dict.fromkeys(ANSWERS, "yes | no | unknown"),
        **dict.fromkeys(TERM_LISTS, "several; with semicolons"),
    }
    for cells in (COLUMNS, [says.get(column, "") for column in COLUMNS]):
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(cells)
        yield line.getvalue()


def column_named(header: str) -> str:
    """The column that a header means, or the header itself."""
    return _NAMED.get(re.sub(r"[^a-z0-9]+", "_", header.lower()).strip("_"), header)


def is_known(column: str) -> bool:
    """Whether a column is one of ours, or one of a rejects file."""
    return column in COLUMNS or column in rejected_rows.REJECTED
