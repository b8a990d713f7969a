"""How text becomes words: once, in Python, for what is indexed and for what is asked."""

import re
import unicodedata

MAX_WORD = 64
"""Characters; a longer run is no word that anybody types, and is cut."""

_NO_DECOMPOSITION = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ł": "l",
        "\u0131": "i",
    }
)
_APOSTROPHES = re.compile("['\u2019\u2018\u02bc`\u00b4]")
_WORD = re.compile(r"[^\W_]+")


def fold(text: str) -> str:
    """Lower case without accents: `Núñez` and `NUNEZ` both give `nunez`."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return plain.translate(_NO_DECOMPOSITION)


def words(text: str) -> tuple[str, ...]:
    """The folded words of a text, in order: `O'Brien-Smith, PT` gives `obrien smith pt`."""
    return tuple(word[:MAX_WORD] for word in _WORD.findall(fold(_APOSTROPHES.sub("", text))))
