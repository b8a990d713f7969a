"""A listing as one packed row of numbers, and the words behind it.

A row holds the point (on the grid, and as a unit vector for a first look), the state, the price,
the day of the attestation, one bit for each facet value, and the id. The words of a listing lie
behind it as numbers, `word * 4 + field`, and are only read where a patient typed text.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from directory.search.distance import to_grid, unit_vectors
from directory.search.entry import FACET_VALUES, FIELD_TIERS, TOKENS, Entry
from directory.states import STATE_NAMES

FACET_WORDS = -(-len(FACET_VALUES) // 64)
ROW = np.dtype(
    [
        ("facets", "<u8", (FACET_WORDS,)),
        ("latitude", "<i4"),
        ("longitude", "<i4"),
        ("unit", "<f4", (3,)),
        ("price", "<i4"),
        ("attested", "<i4"),
        ("words", "<u2"),
        ("state", "u1"),
        ("spare", "u1"),
        ("id", "S32"),
    ]
)
"""The widest first, so that numpy finds every number where the processor likes it."""

UNKNOWN = -1
FIELD_BITS = 2
FIELD_CODES = {field: code for code, field in enumerate(FIELD_TIERS)}
STATE_CODES = {state: code for code, state in enumerate(STATE_NAMES)}

_BIT = {each: bit for bit, each in enumerate(TOKENS)}

Rows = NDArray[np.void]
Bits = NDArray[np.uint64]
"""The facet values of some rows: (rows, FACET_WORDS)."""

WordCodes = Mapping[str, int]
"""The number of each word that the index knows; a word that is missing is found nowhere."""


@dataclass(frozen=True)
class Chunks:
    """The rows of some cells, and their words, one row's after another's (none without text)."""

    rows: Rows
    words: NDArray[np.uint32]

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """Where each row's words end among all of them."""
        return self.rows["words"].cumsum(dtype=np.int64)


def pack(entries: Sequence[Entry], codes: WordCodes) -> list[tuple[bytes, bytes]]:
    """The row and the words of each entry; `codes` knows all their words."""
    rows = np.zeros(len(entries), ROW)
    points = np.array([each.point for each in entries]).reshape(-1, 2)
    rows["latitude"], rows["longitude"] = grid = to_grid(points[:, 0], points[:, 1])
    rows["unit"] = unit_vectors(grid)
    bits = np.zeros((len(entries), FACET_WORDS * 64), np.uint8)
    at = [(n, _BIT[f]) for n, each in enumerate(entries) for f in each.facets]
    bits[tuple(np.array(at, np.int64).reshape(-1, 2).T)] = 1
    rows["facets"] = np.packbits(bits, axis=1, bitorder="little").view("<u8")
    rows["price"] = [UNKNOWN if each.price is None else each.price for each in entries]
    rows["attested"] = [each.attested.toordinal() if each.attested else UNKNOWN for each in entries]
    rows["state"] = [STATE_CODES[each.state] for each in entries]
    rows["id"] = [each.id.encode() for each in entries]
    words = [
        [codes[w] << FIELD_BITS | FIELD_CODES[field] for field, found in each.words for w in found]
        for each in entries
    ]
    rows["words"] = [len(numbers) for numbers in words]
    packed, size = rows.tobytes(), ROW.itemsize
    return [
        (packed[n * size : (n + 1) * size], _little_endian(numbers))
        for n, numbers in enumerate(words)
    ]


def _little_endian(numbers: list[int]) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


def states_of(rows: bytes) -> int:
    """In which states some packed rows lie: one bit each, as `state_bits` has them."""
    codes = np.unique(np.frombuffer(rows, ROW)["state"])
    return sum(1 << code for code in codes.tolist())


def state_bits(states: Iterable[str]) -> int:
    """Some states (two letters) as bits of one number."""
    return sum({1 << STATE_CODES[state] for state in states})


def any_bit(facets: Bits, tokens: Iterable[str]) -> NDArray[np.bool_]:
    """Which of some rows have one of these facet values at least."""
    wanted = [0] * FACET_WORDS
    for each in tokens:
        if (bit := _BIT.get(each)) is not None:
            wanted[bit // 64] |= 1 << bit % 64
    found = np.zeros(len(facets), np.bool_)
    for word, mask in enumerate(wanted):
        if mask:
            found |= (facets[:, word] & np.uint64(mask)) != 0
    return found


def counted(facets: Bits) -> NDArray[np.int64]:
    """How many of some rows have each facet value: (FACET_WORDS * 64,).

    A bit becomes a byte, and eight bytes are added at once; in blocks of 255 rows none overflows.
    A sum over the unpacked bits takes six times as long.
    """
    if not len(facets):
        return np.zeros(FACET_WORDS * 64, np.int64)
    bits = np.unpackbits(np.ascontiguousarray(facets).view(np.uint8), bitorder="little")
    eight = bits.view(np.uint64).reshape(len(facets), -1)
    blocks = np.add.reduceat(eight, np.arange(0, len(facets), 255), axis=0)
    return np.asarray(blocks.view(np.uint8).sum(axis=0, dtype=np.int64))
