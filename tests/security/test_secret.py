"""The secret that signs sessions and cursors: made once, for its owner alone, and never a guess."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from directory.services import SHORTEST_SECRET, services
from directory.settings import InvalidSettings, Settings

AT_ONCE = 8


def settings(folder: Path, secret: str = "") -> Settings:
    return Settings(
        database_url=f"sqlite:///{folder / 'store.db'}",
        search_url=f"sqlite:///{folder / 'search.db'}",
        mail_url=f"file:{folder / 'mail'}",
        secret_file=folder / "var" / "secret.key",
        secret_key=secret,  # type: ignore[arg-type]
    )


def signed(chosen: Settings) -> str:
    """What a session of these settings looks like, without its time."""
    parts = services(chosen)
    parts.close()
    return str(parts.sessions.make_signer(parts.sessions.salt).derive_key().hex())


@pytest.mark.parametrize("kept", ["", "\n", "x", "15-characters-x\n"])
def test_a_secret_that_can_be_guessed_is_none(tmp_path: Path, kept: str) -> None:
    chosen = settings(tmp_path)
    chosen.secret_file.parent.mkdir()
    chosen.secret_file.write_text(kept)
    with pytest.raises(InvalidSettings, match=r"secret\.key"):
        services(chosen)
    if kept:
        with pytest.raises(InvalidSettings, match="DIRECTORY_SECRET_KEY"):
            services(settings(tmp_path, kept))


def test_a_secret_is_made_for_its_owner_alone_and_kept(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    first = signed(chosen)
    assert signed(chosen) == first
    assert chosen.secret_file.stat().st_mode & 0o777 == 0o600
    assert len(chosen.secret_file.read_text()) >= 2 * SHORTEST_SECRET
    assert [*chosen.secret_file.parent.iterdir()] == [chosen.secret_file]


def test_a_secret_is_the_same_in_a_file_and_in_the_environment(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    chosen.secret_file.parent.mkdir()
    chosen.secret_file.write_text("a secret of the tests\n")
    assert signed(chosen) == signed(settings(tmp_path, "a secret of the tests"))


def test_who_starts_at_once_agrees(tmp_path: Path) -> None:
    """In containers every process may have the same number, as threads of one have here."""
    for turn in range(20):
        chosen, together = settings(tmp_path / str(turn)), threading.Barrier(AT_ONCE)

        def start(chosen: Settings = chosen, together: threading.Barrier = together) -> str:
            together.wait()
            return signed(chosen)

        with ThreadPoolExecutor(AT_ONCE) as threads:
            assert len({*threads.map(lambda _, start=start: start(), range(AT_ONCE))}) == 1
