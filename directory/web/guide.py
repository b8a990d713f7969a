"""What a patient should know of dry needling: each fact with the reference that it is from.

It informs and is no medical advice. A fact without a reference is not said; the tests hold every
citation to a reference and every reference to a citation.
"""

from dataclasses import dataclass
from datetime import date

from flask import Blueprint, render_template, url_for

from directory.language import marked
from directory.vocabulary.words import words

blueprint = Blueprint("guide", __name__)

REVIEWED = date(2026, 11, 25)


@dataclass(frozen=True)
class Reference:
    """Where facts are from: its name, its date as it gives it, and its address if it has one."""

    name: str
    date: str
    address: str | None = None


@dataclass(frozen=True)
class Fact:
    """One thing that a reference says, in our own words; `at` is its anchor, if it has its own."""

    text: str
    by: tuple[str, ...]
    at: str | None = None


@dataclass(frozen=True)
class Section:
    """Facts under one heading."""

    at: str
    title: str
    facts: tuple[Fact, ...]


REFERENCES = {
    "verywell": Reference("What Is Dry Needling?, Verywell Health", "references to 2019"),
    "review": Reference(
        "Espejo-Antúnez and others, Complement Ther Med 33:46-57", "2017",
        "https://doi.org/10.1016/j.ctim.2017.06.003",
    ),
    "survey": Reference(
        "Boyce and others, IJSPT 15(1):103-113, as given by Integrative Dry Needling", "2020",
        "https://integrativedn.com/adverse-events-associated-with-therapeutic-dry-needling/",
    ),
    "antithrombotic": Reference(
        "A review of dry needling and antithrombotic medicine", "2022",
        "https://doi.org/10.1155/2022/1363477",
    ),
    "gsbvk": Reference("gsbvk.com, Dry needling", "undated", "https://gsbvk.com/dry-needling"),
    "medicare": Reference(
        "CMS, National Coverage Determination 30.3.3", "2020-01-21",
        "https://www.cms.gov/Medicare-Coverage-Database/view/ncd.aspx?ncdid=373&ncdver=1",
    ),
    "policy": Reference(
        "AmeriHealth, medical policy on dry needling", "undated",
        "https://medpolicy.amerihealth.com/ah/ma/Pages/Policy/ca5cf4f3-f26b-440a-9861-5d6da4e8efe2.aspx",
    ),
    "smi": Reference(
        "Spinal Manipulation Institute, DN-2: Dry Needling", "undated",
        "https://spinalmanipulation.org/dates-and-locations/dn-2-dry-needling",
    ),
    "myofascial": Reference(
        "Myopain Solutions, on the board exam of trigger point therapists", "undated, about 2010",
        "https://www.myopainsolutions.com/cinderella-at-the-examination/",
    ),
    "fclb": Reference(
        "FCLB, Checking on Chiropractors", "2021-01-20",
        "https://www.fclb.org/Resources/CheckingonChiropractors.aspx",
    ),
}  # fmt: skip

EMERGENCY = Fact(
    marked(
        "If you are short of breath or bleed heavily after a treatment, call 911 at once. A needle "
        "in the chest can, rarely, make a lung collapse."
    ),
    ("verywell",),
)

SECTIONS = (
    Section("what", marked("What it is"), (
        Fact(marked("Thin, solid needles go into tight, sore spots in a muscle (trigger points). Nothing is injected."), ("verywell",)),
        Fact(marked("It is meant to ease pain and spasm and to let joints move better, mostly beside stretching, massage or exercise."), ("verywell",)),
        Fact(marked("How it works is not clear."), ("verywell",)),
        Fact(marked("A review of 15 studies found less pain and more movement for a short time in muscle pain, and asked for more good studies."), ("review",)),
        Fact(marked("It is modelled on acupuncture, but is for pain only and goes to sore spots; acupuncture uses other points and treats many conditions."), ("verywell",)),
    )),
    Section("not-for", marked("Who should not have it, and who should ask first"), (
        Fact(marked("Do not have it if you are pregnant, cannot understand what it is for, or are very afraid of needles."), ("verywell", "gsbvk")),
        Fact(marked("Ask your doctor first if you take blood thinners or bleed easily. A review holds that such medicine calls for caution, not that it always forbids it."), ("verywell", "antithrombotic")),
        Fact(marked("Ask first, too, with a skin infection at the place, an allergy to metals, or anything for which a doctor sees you regularly."), ("verywell", "gsbvk")),
    )),
    Section("risks", marked("Side effects and risks"), (
        Fact(marked("In a survey of about 20,000 treatments, 37 in 100 had a minor effect: bleeding in 16, a bruise in 8, pain in 6."), ("survey",)),
        Fact(marked("Serious events were rare: 20 in all, fewer than 1 in 1,000."), ("survey",)),
        Fact(marked("Soreness, bruises, tiredness and fainting happen. Rarely an organ or a lung is punctured, or a place gets infected if needles are not sterile."), ("verywell",)),
    )),
    Section("techniques", marked("Techniques"), (
        Fact(marked("Superficial: the needle goes 5 to 10 mm into the skin over the sore spot for about 30 seconds, and again if needed."), ("verywell",), "superficial"),
        Fact(marked("Pistoning: the needle goes in and out of the spot quickly and is not left in."), ("verywell",), "pistoning"),
        Fact(marked("Non-trigger-point: needles go into the muscle around the sore spot."), ("verywell",), "non-trigger-point"),
    )),
    Section("before", marked("Before"), (
        Fact(marked("You are asked about your health, examined, and told what will be done. You may take time to decide."), ("verywell",)),
        Fact(marked("Wear loose clothes. Bring your insurance card if you want to use it, and a way to pay."), ("verywell",)),
    )),
    Section("during", marked("During"), (
        Fact(marked("The needling takes 10 to 15 minutes, a visit with other therapy 30 to 60."), ("verywell",)),
        Fact(marked("An ache or a twitch is usual; it should not hurt. Say so at once if it does, or if you feel faint."), ("verywell",)),
    )),
    Section("after", marked("After"), (
        Fact(marked("Get up slowly, drink water, and rest; heat, ice or a warm bath can help."), ("verywell",)),
        Fact(marked("You may be sorer the next morning. It should pass in a few days, bruises within a week."), ("verywell",)),
        Fact(marked("Most people have 2 or 3 sessions, some up to 6, once or twice a week. You may stop at any time."), ("verywell",)),
    )),
    Section("cost", marked("Cost and insurance"), (
        Fact(marked("Many plans do not pay for it; some practices take cash only."), ("verywell",)),
        Fact(marked("Medicare pays for acupuncture of long-lasting low back pain only, with limits on visits."), ("medicare",)),
        Fact(marked("One insurer's policy says that dry needling for anything else is not covered, as Medicare does not cover it."), ("policy",)),
    )),
    Section("credentials", marked("Credentials"), (
        Fact(marked("There is no one national credential for dry needling. Several schools and boards give certificates of their own; none of them is a regulator."), ("smi", "myofascial")),
        Fact(marked("Bodies that certify courses are no regulators: the federation of chiropractic boards endorses no specialty certificate."), ("fclb",)),
    )),
)  # fmt: skip

TECHNIQUES = {fact.at: fact.text for each in SECTIONS for fact in each.facts if fact.at}
"""What each technique is, by its value in the vocabulary."""

QUESTIONS = (
    marked("Is your license active, and does this state let your profession do dry needling?"),
    marked("How many hours of training in dry needling do you have, from when, and in person?"),
    marked("How many such treatments have you given? Do you do it yourself?"),
    marked("Are the needles sterile and used once?"),
    marked("What are the risks for me, and whom do I call after hours?"),
    marked("What does it cost, and what does my insurer pay?"),
)
"""To ask the practice; what a patient should check, from the references above taken together."""

_CARE = {
    "not-for": (
        "pregnant", "pregnancy", "blood thinner", "blood thinners", "warfarin",
        "anticoagulant", "anticoagulants", "afraid of needles", "fear of needles", "needle phobia",
        "embarazada", "embarazo", "anticoagulante", "anticoagulantes", "miedo a las agujas",
    ),
}  # fmt: skip


@blueprint.get("/guide")
def guide() -> str:
    """The guide."""
    return render_template(
        "guide.html",
        sections=SECTIONS,
        emergency=EMERGENCY,
        questions=QUESTIONS,
        references=REFERENCES,
        numbers={name: number for number, name in enumerate(REFERENCES, start=1)},
        reviewed=REVIEWED,
        canonical=url_for("guide.guide", lang=None),
    )


def care(text: str | None) -> str | None:
    """The part of the guide that matters to who types this; None where none does."""
    typed = f" {' '.join(words(text or ''))} "
    for at, phrases in _CARE.items():
        if any(f" {' '.join(words(phrase))} " in typed for phrase in phrases):
            return at
    return None
