"""How often a node is asked: one that fails is no reason to fail, while there is time for another.

The client's own retries give every try the whole time, and after a 429 ask again at once.
"""

import random
import threading
import time
from typing import Any, cast

from elastic_transport import BaseNode, NodePool, Transport, TransportApiResponse, TransportError
from elastic_transport import ConnectionError as NoConnection
from elastic_transport.client_utils import DEFAULT, DefaultType

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 10.0

_LEAST_S, _SHORTEST_S = 0.2, 0.05
"""With less time left than the first another try would only be given up again."""


def pause_s(tried: int) -> float:
    """Seconds to wait after so many tries: twice as long each time, and never the same for two.

    What fails for many at once would come back from all of them at once, too.
    """
    longest: float = min(FIRST_PAUSE_S * 2 ** (tried - 1), LONGEST_PAUSE_S)
    return random.uniform(longest / 2, longest)  # noqa: S311  # no secret


def may_pass(status: int) -> bool:
    """Whether an HTTP status says that the same call may succeed later, or on another node."""
    return status == 429 or status >= 500


class OtherNodes(NodePool):
    """Gives a call that is made again a node that it has not asked, while there is one.

    The pool lets a node that hangs come back now and then, to see whether it still does; a call's
    second try could be just that.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401  # the client's affair
        super().__init__(*arguments, **options)
        self._call = threading.local()

    def begin(self) -> None:
        """This thread makes another call now."""
        self._call.asked = set()

    def get(self) -> BaseNode:
        """The node for the next try of this thread's call."""
        asked: set[BaseNode] = self._call.asked
        if len(asked) == len(self):
            asked.clear()
        for _ in range(len(self)):
            node = super().get()
            if node not in asked:
                break
        else:
            node = next(each for each in self.all() if each not in asked)
        asked.add(node)
        return node


class PatientTransport(Transport):
    """Makes a call again where no node answered it, or one did with what may pass.

    `request_timeout` (seconds) is for all tries together, of which there are `max_retries` beyond
    the first; both must be given. The next try is another node's, at once; only where all have been
    asked is there a pause before. A node that is not there costs no time, and no try, while there
    is another.
    """

    node_pool: OtherNodes

    def perform_request(
        self,
        method: str,
        target: str,
        *,
        max_retries: int | DefaultType = DEFAULT,
        request_timeout: float | DefaultType | None = DEFAULT,
        **rest: Any,  # noqa: ANN401  # the client's affair
    ) -> TransportApiResponse:
        """What a node answered; TransportError where none did, within the time."""
        self.node_pool.begin()
        nodes, retries = len(self.node_pool), cast("int", max_retries)
        ends = time.monotonic() + cast("float", request_timeout)
        tried = 0
        while True:
            tried += 1
            # A busy machine wakes a thread late; a time-out below nothing is an error of its own.
            left = max(ends - time.monotonic(), _SHORTEST_S)
            # A node that says nothing must leave time for another.
            seconds = left if nodes == 1 or tried > retries else left / 2
            pause = pause_s(tried) if tried >= nodes else 0.0
            try:
                answer = super().perform_request(
                    method, target, max_retries=0, request_timeout=seconds, **rest
                )
                if not may_pass(answer.meta.status) or _is_last(tried, retries, ends - pause):
                    return answer
            except TransportError as error:
                if isinstance(error, NoConnection) and tried < nodes:
                    retries += 1
                if _is_last(tried, retries, ends - pause):
                    raise
            time.sleep(pause)


def _is_last(tried: int, retries: int, ends: float) -> bool:
    return tried > retries or time.monotonic() + _LEAST_S > ends
