"""The catalogs hold every message of the source, whole, and nothing else."""

import re

import pytest

from directory.language import LANGUAGES
from directory.translations.update import gathered, missing, po, translated, updated, written

OTHERS = sorted(LANGUAGES.keys() - {"en"})
PLACEHOLDER = re.compile(r"%\([a-z_]+\)[.\d]*[a-z]|%%")


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_is_translated_and_kept_as_it_is_gathered(language: str) -> None:
    catalog, messages = translated(language), gathered()
    assert len(messages) > 400
    new = updated(catalog, messages)
    assert list(missing(new)) == [], "run `make translations` and translate what it names"
    for_people, compiled = written(new)
    assert po(language).read_bytes() == for_people, "run `make translations`"
    assert po(language).with_suffix(".mo").read_bytes() == compiled, "run `make translations`"


@pytest.mark.parametrize("language", OTHERS)
def test_every_placeholder_is_kept(language: str) -> None:
    for message in translated(language):
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        said = message.string if isinstance(message.string, tuple) else (message.string,)
        for one, other in zip(ids, said, strict=True):
            assert sorted(PLACEHOLDER.findall(one)) == sorted(PLACEHOLDER.findall(other)), one
