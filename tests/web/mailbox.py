"""A real SMTP server, for tests to read what was sent through it."""

import asyncio
import email
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.elasticsearch_node import free_port

LINK = re.compile(r"https?://\S+")


class Mailbox:
    """The letters that have arrived; each takes its time."""

    def __init__(self, url: str, takes_s: float) -> None:
        self.url = url
        self._takes_s = takes_s
        self.letters: list[EmailMessage] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(self._takes_s)
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        self.letters.append(email.message_from_bytes(raw, policy=default))  # type: ignore[arg-type]
        return "250 OK"

    def to(self, address: str, *, subject: str = "", wait_s: float = 6.0) -> EmailMessage:
        """The newest letter to an address, once it is there."""
        end = time.monotonic() + wait_s
        while time.monotonic() < end:
            for letter in reversed(self.letters):
                if letter["To"] == address and subject in letter["Subject"]:
                    return letter
            time.sleep(0.05)
        raise AssertionError(f"no letter to {address} with {subject!r}")

    def count(self, address: str) -> int:
        return sum(letter["To"] == address for letter in self.letters)


def text_of(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    assert body
    return str(body.get_content())


def link_in(letter: EmailMessage) -> str:
    """The path of the one link of a letter, the same in its text and its HTML."""
    html = letter.get_body(("html",))
    assert html
    (found,) = LINK.findall(text_of(letter))
    assert f'href="{found}"' in html.get_content()
    return "/" + found.split("/", 3)[3]


@contextmanager
def mailbox(takes_s: float = 0) -> Iterator[Mailbox]:
    port = free_port()
    box = Mailbox(f"smtp://127.0.0.1:{port}", takes_s)
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
