"""Mail: what a letter is, and the two ways out: any SMTP server, or a folder of messages."""

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid
from pathlib import Path
from tempfile import TemporaryFile
from urllib.parse import unquote, urlsplit

from directory.mail.address import is_address

TIMEOUT_S = 10.0


class MailUnavailable(Exception):
    """The letter could not be handed over; it may be later. What it says is logged."""


@dataclass(frozen=True)
class Letter:
    """One letter to one address, as text and as HTML."""

    recipient: str
    subject: str
    text: str
    html: str


Post = Callable[[Letter], None]
"""Hands a letter over; MailUnavailable where that cannot be done now."""


def post(url: str, sender: str) -> Post:
    """The way out that a URL names: `file:FOLDER`, or `smtp[s]://[user:password@]host[:port]`.

    Raises ValueError where it is none.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        return _Folder(Path(url.removeprefix("file:").removeprefix("//")), sender)
    if parts.scheme in ("smtp", "smtps") and parts.hostname:
        return _Server(url, sender)
    raise ValueError(f"{parts.scheme}: begins with file: or smtp:// (the mail's URL)")


def reach(url: str) -> None:
    """Return if letters could be handed over now, without one; else MailUnavailable.

    A folder that is not there yet is not made: the one above must let it be.
    """
    try:
        if urlsplit(url).scheme == "file":
            folder = Path(url.removeprefix("file:").removeprefix("//"))
            with TemporaryFile(dir=next(p for p in (folder, *folder.parents) if p.exists())):
                return
        with _Server(url, "").connected() as server:
            server.noop()
    except (OSError, smtplib.SMTPException) as error:
        raise MailUnavailable(f"letters cannot be handed over: {error}") from error


def message(letter: Letter, sender: str) -> EmailMessage:
    """The message as it is sent. ValueError where a header would hold more than one line."""
    if not is_address(letter.recipient):
        raise ValueError("the recipient is no e-mail address")
    made = EmailMessage(policy=SMTP)
    made["From"] = sender
    made["To"] = letter.recipient
    made["Subject"] = letter.subject
    made["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].rstrip(">"))
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(letter.text)
    made.add_alternative(letter.html, subtype="html")
    return made


class _Folder:
    """Writes each letter to a file of its own: `var/mail/000001.eml`, in order."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    def __call__(self, letter: Letter) -> None:
        made = message(letter, self._sender)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for number in range(len(list(self._folder.glob("*.eml"))) + 1, 10**6):
                path = self._folder / f"{number:06}.eml"
                try:
                    with path.open("xb") as file:
                        file.write(made.as_bytes())
                        return
                except FileExistsError:
                    continue  # another process was there first
        except OSError as error:
            raise MailUnavailable(f"the letter cannot be written: {error}") from error


class _Server:
    """Hands letters to an SMTP server, by TLS where the server offers it."""

    def __init__(self, url: str, sender: str) -> None:
        self._parts = urlsplit(url)
        self._sender = sender

    def __call__(self, letter: Letter) -> None:
        made = message(letter, self._sender)
        try:
            with self.connected() as server:
                if self._parts.username:
                    password = unquote(self._parts.password or "")
                    server.login(unquote(self._parts.username), password)
                server.send_message(made)
        except (OSError, smtplib.SMTPException) as error:
            raise MailUnavailable(f"the mail server does not take it: {_why(error)}") from error

    def connected(self) -> smtplib.SMTP:
        """A connection, by TLS where it can be."""
        host, port = self._parts.hostname or "", self._parts.port or 0
        if self._parts.scheme == "smtps":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
        server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        elif self._parts.username:
            server.close()
            raise smtplib.SMTPNotSupportedError("no TLS: the password stays here (use smtps://)")
        return server


def _why(error: OSError) -> str:
    """What failed, for the log: a server's own words name whom the letter is for."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "it refuses the recipient"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__} {error.smtp_code}"
    return str(error)
