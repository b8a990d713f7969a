"""What an e-mail address is: enough to send to it; only a letter that arrives proves it."""

import re

LONGEST = 254

_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+"
    r"[A-Za-z]{2,63}"
)
"""As HTML has it (html.spec.whatwg.org, valid e-mail address), with a dot in the domain."""


def is_address(text: str) -> bool:
    """Whether a letter could be sent there."""
    return len(text) <= LONGEST and _ADDRESS.fullmatch(text) is not None


def folded(text: str) -> str:
    """An address as it is compared: nobody runs two boxes that differ by capitals."""
    return text.strip().lower()


def domain_of(address: str) -> str:
    """What stands behind the `@`."""
    return address.rpartition("@")[2].lower()
