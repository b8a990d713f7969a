"""Where a setting comes from."""

from pathlib import Path

import pytest

from directory.settings import InvalidSettings, Settings, settings


def test_what_is_secret_may_be_a_file_and_the_environment_goes_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DIRECTORY_DATABASE_URL", raising=False)
    (tmp_path / "directory_database_url").write_text("sqlite:///of-the-file.db\n")
    assert settings(tmp_path).database_url == "sqlite:///of-the-file.db"
    monkeypatch.setenv("DIRECTORY_DATABASE_URL", "sqlite:///of-the-environment.db")
    assert settings(tmp_path).database_url == "sqlite:///of-the-environment.db"


def test_without_a_folder_of_secrets_the_defaults_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DIRECTORY_DATABASE_URL", raising=False)
    assert settings(tmp_path / "none").database_url == "sqlite:///var/directory.db"


def test_a_file_that_cannot_be_is_named_like_its_setting(tmp_path: Path) -> None:
    (tmp_path / "directory_trusted_proxies").write_text("many")
    with pytest.raises(InvalidSettings, match="DIRECTORY_TRUSTED_PROXIES"):
        settings(tmp_path)


@pytest.mark.parametrize(
    ("name", "given", "shown"),
    [
        ("database_url", "postgresql+psycopg://u:Hidden@h/d", "postgresql+psycopg://***@h/d"),
        (
            "database_url", "postgresql+psycopg://h/d?user=u&password=Hidden",
            "postgresql+psycopg://h/d?user=***&password=***",
        ),
        ("database_url", "sqlite:///var/directory.db", "sqlite:///var/directory.db"),
        ("search_url", "https://Hidden@h:9200/x", "https://***@h:9200/x"),
        ("search_url", "https://u:Hid/den@a:9200,b:9200/x", "https://***@a:9200,b:9200/x"),
        ("mail_url", "smtp://u:p@Hidden@h:25", "smtp://***@h:25"),
        (
            "map_tiles_url", "https://t.example/{z}/{x}/{y}.png?v=1&access_token=Hidden",
            "https://t.example/{z}/{x}/{y}.png?v=***&access_token=***",
        ),
        ("mail_from", "Us <us@example.org>", "Us <us@example.org>"),
    ],
)  # fmt: skip
def test_what_is_shown_holds_no_secret(name: str, given: str, shown: str) -> None:
    assert Settings.model_validate({name: given}).shown()[name] == shown
