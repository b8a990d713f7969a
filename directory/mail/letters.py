"""What letters say, in the language of whoever gets them: paragraphs and one link."""

from dataclasses import dataclass
from html import escape

from directory import language
from directory.language import gettext
from directory.mail import Letter


@dataclass(frozen=True)
class To:
    """Whom a letter is for, and in which language."""

    email: str
    language: str


def sign_in(to: To, address: str) -> Letter:
    """The link that signs in."""
    with language.speaking(to.language):
        return _letter(
            to,
            gettext("Your link to sign in"),
            [
                gettext(
                    "Open this link and press its button to sign in. It works once, for one hour."
                ),
                gettext("If you have not asked for it, you need do nothing."),
            ],
            address,
            gettext("Sign in"),
        )


def go_on(to: To, address: str) -> Letter:
    """The way back to a listing that is being written."""
    with language.speaking(to.language):
        return _letter(
            to,
            gettext("The listing that you have begun"),
            [
                gettext(
                    "You have begun a listing. What you have written so far is kept; this link "
                    "brings you back to it. Do not pass it on: whoever has it can change the draft."
                ),
                gettext("Nothing is public until you send it and we have looked at it."),
            ],
            address,
            gettext("Go on with the listing"),
        )


def prove(to: To, address: str) -> Letter:
    """The link that proves the address behind a submission."""
    with language.speaking(to.language):
        return _letter(
            to,
            gettext("Confirm your address for the listing"),
            [
                gettext("Open this link and press its button; then we look at what you have sent."),
                gettext(
                    "It works once, for seven days. If you have sent us nothing, somebody has "
                    "mistyped an address, and you need do nothing."
                ),
            ],
            address,
            gettext("Confirm the address"),
        )


def claim(to: To, title: str, address: str) -> Letter:
    """The link that makes an address the owner of a listing."""
    with language.speaking(to.language):
        return _letter(
            to,
            gettext("Look after your listing"),
            [
                gettext(
                    "Somebody with this address wants to look after the listing of %(title)s. Open "
                    "this link and press its button if it was you. It works once, for two days.",
                    title=title,
                ),
                gettext("If it was not you, you need do nothing."),
            ],
            address,
            gettext("This is my listing"),
        )


def approved(to: To, title: str, address: str) -> Letter:
    """What was asked for has been done."""
    with language.speaking(to.language):
        said = gettext("What you have sent for %(title)s is public now.", title=title)
        return _letter(to, gettext("Approved"), [said], address, gettext("See the listing"))


def refused(to: To, reason: str, address: str) -> Letter:
    """What was asked for has not been done, and why."""
    with language.speaking(to.language):
        return _letter(
            to,
            gettext("We could not publish what you sent"),
            [
                gettext("We have looked at it and could not publish it, for this reason:"),
                reason,
                gettext("You may mend it and send it again."),
            ],
            address,
            gettext("To the directory"),
        )


def asked(to: To, question: str, address: str) -> Letter:
    """Something is to be answered before a decision."""
    with language.speaking(to.language):
        return _letter(
            to,
            gettext("A question about what you sent"),
            [
                question,
                gettext("Mend or complete it with this link, and send it again."),
            ],
            address,
            gettext("Go on with the listing"),
        )


def reminder(to: To, title: str, days: int, address: str) -> Letter:
    """An attestation grows old: the link shows the listing and can confirm it, and nothing else."""
    with language.speaking(to.language):
        return _letter(
            to,
            gettext("Is your listing still right?"),
            [
                gettext(
                    "The listing of %(title)s was last confirmed %(days)s days ago. After 90 days "
                    "it is marked as old, after 180 it leaves the results.",
                    title=title,
                    days=days,
                ),
                gettext(
                    "This link shows it as it stands, with one button: all still right. It can "
                    "change nothing else."
                ),
            ],
            address,
            gettext("See whether it is still right"),
        )


def claimed(to: To, title: str, address: str) -> Letter:
    """Somebody else wants to look after a listing."""
    with language.speaking(to.language):
        return _letter(
            to,
            gettext("Somebody wants to look after your listing"),
            [
                gettext(
                    "Somebody else has asked to look after the listing of %(title)s, too. A "
                    "moderator decides. If you do not want it, write so to this directory.",
                    title=title,
                )
            ],
            address,
            gettext("To your listings"),
        )


def reported(to: To, title: str, what: str, text: str, address: str) -> Letter:
    """A patient says that something is wrong."""
    with language.speaking(to.language):
        said = gettext(
            "A patient says that something in the listing of %(title)s is wrong: %(what)s.",
            title=title,
            what=gettext(what),
        )
        more = [f"“{text}”"] if text else []
        please = gettext("Please look at it within two business days, and mend it if it is so.")
        return _letter(
            to,
            gettext("A mistake was reported in your listing"),
            [said, *more, please],
            address,
            gettext("To your listings"),
        )


def _letter(to: To, subject: str, paragraphs: list[str], address: str, call: str) -> Letter:
    farewell = gettext("The Dry Needling Directory")
    text = "\n\n".join([*paragraphs, f"{call}: {address}", farewell]) + "\n"
    shown = "".join(f"<p>{escape(each)}</p>" for each in paragraphs)
    link = f'<p><a href="{escape(address)}">{escape(call)}</a></p>'
    html = (
        f'<!doctype html><html lang="{to.language}"><meta charset="utf-8"><body>'
        f"{shown}{link}<p>{escape(farewell)}</p></body></html>"
    )
    return Letter(to.email, subject, text, html)
