"""Every setting, its default and its meaning; the only reader of the environment.

Each is an environment variable with the prefix `DIRECTORY_`, or a file of secrets; the defaults are
right for one machine with nothing beside it. `directory settings` prints them all.
"""

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError


def _search_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme.startswith("http") and not parts.hostname:
        raise ValueError("names no host")
    if parts.scheme not in ("sqlite", "http", "https"):
        raise ValueError("begins with sqlite:/// (a file) or http(s):// (Elasticsearch)")
    return url


def _base_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise ValueError("begins with http(s):// and names a host")
    return url.rstrip("/")


def _http_url(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("begins with http(s):// and names a host")
    return url


def _tiles_url(url: str) -> str:
    if _http_url(url) and not all(f"{{{each}}}" in url for each in "xyz"):
        raise ValueError("has {z}, {x} and {y} where the tile's numbers are to stand")
    return url


def _traces_url(url: str) -> str:
    if _http_url(url):
        try:
            distribution("opentelemetry-exporter-otlp-proto-http")
        except PackageNotFoundError as error:
            raise ValueError(
                "needs packages that are not installed: "
                "pip install --require-hashes -r requirements/traces.txt"
            ) from error
    return url


class InvalidSettings(Exception):
    """A setting that cannot be; says which and why."""


class Settings(BaseSettings):
    """The operator's settings."""

    model_config = SettingsConfigDict(env_prefix="DIRECTORY_", frozen=True, extra="ignore")

    database_url: str = Field(
        "sqlite:///var/directory.db",
        description="The store: a SQLAlchemy URL, sqlite:///FILE or postgresql+psycopg://….",
    )
    search_url: Annotated[str, AfterValidator(_search_url)] = Field(
        "sqlite:///var/search.db",
        description="The search engine: sqlite:///FILE is the embedded one, "
        "http(s)://[user:password@]host:9200[,host:9200…]/ALIAS is Elasticsearch. Of a cluster's "
        "several nodes another is asked where one does not answer; none but those named.",
    )
    search_api_key: SecretStr = Field(
        SecretStr(""),
        description="Elasticsearch's API key (the encoded one), instead of user and password.",
    )
    search_ca_file: Path | None = Field(
        None,
        description="The certificate authority (PEM) that vouches for Elasticsearch's https "
        "addresses, instead of those that the system trusts.",
    )
    base_url: Annotated[str, AfterValidator(_base_url)] = Field(
        "http://127.0.0.1:8000",
        description="Where the site is reached: what is told to search engines and partners.",
    )
    geocoder: str = Field(
        "gazetteer",
        description="What knows street addresses: a geopy service's name (nominatim, photon, …). "
        "The gazetteer that ships answers ZIPs, cities and states in any case.",
    )
    geocoder_options: dict[str, object] = Field(
        default_factory=dict, description="The service's options, as JSON."
    )
    gazetteer_file: Path = Field(
        Path("var/gazetteer.csv"), description="Where `indexer gazetteer` keeps the Census places."
    )
    rejects_folder: Path = Field(
        Path("var/rejects"), description="Where `indexer load` writes what it could not take."
    )
    mail_url: str = Field(
        "file:var/mail",
        description="Where letters go: file:FOLDER (one message a file), or "
        "smtp[s]://[user:password@]host:port.",
    )
    mail_from: str = Field(
        "Dry Needling Directory <directory@localhost>", description="Who letters are from."
    )
    map_tiles_url: Annotated[str, AfterValidator(_tiles_url)] = Field(
        "",
        description="A server of map tiles (https://…/{z}/{x}/{y}.png) instead of the outlines "
        "that ship; it learns which areas are looked at, and the page says so.",
    )
    map_tiles_credit: str = Field(
        "", description="Whom the tiles' licence wants to be named below the map."
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=10,
        description="How many reverse proxies stand before the site. Each adds whom it answers to "
        "X-Forwarded-For; with 0 that header is not believed, as anybody can send it.",
    )
    requests_a_minute: int = Field(
        600,
        ge=1,
        description="How many requests of the API or the embedded search one network address may "
        "make in a minute without a partner's key.",
    )
    security_contact: str = Field(
        "",
        description="Whom to tell of a weakness (mailto:…, https://…): /.well-known/security.txt.",
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="How `directory serve` logs: text for people, json for programs."
    )
    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="Opens /metrics to whoever sends it (Authorization: Bearer …). Without it only "
        "a program on this machine may look, and only while DIRECTORY_BASE_URL is this machine.",
    )
    traces_url: Annotated[str, AfterValidator(_traces_url)] = Field(
        "",
        description="The collector that traces of requests are sent to by OTLP over HTTP, with its "
        "path: http://127.0.0.1:4318/v1/traces. It needs the packages of requirements/traces.txt.",
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="Signs sessions and cursors; 16 characters at least. By default one is made "
        "and kept in var/secret.key; on several machines, set the same one on each.",
    )
    secret_file: Path = Field(
        Path("var/secret.key"), description="Where the secret that was made is kept."
    )

    def shown(self) -> dict[str, str]:
        """Every setting as text, without secrets."""
        values = {name: _masked(str(getattr(self, name))) for name in type(self).model_fields}
        return values | {"geocoder_options": f"{len(self.geocoder_options)} set"}


SECRETS = Path("/run/secrets")
"""Where container engines put the files that one service alone may read."""


def settings(secrets: Path = SECRETS) -> Settings:
    """The settings of the environment and, where there is such a folder, of files in it.

    A file is named like its setting, `directory_database_url`; the environment goes before it.
    InvalidSettings names what is wrong with one.
    """
    try:
        return Settings(_secrets_dir=secrets if secrets.is_dir() else None)
    except SettingsError as error:
        raise InvalidSettings("DIRECTORY_GEOCODER_OPTIONS: is no JSON object") from error
    except ValidationError as error:
        wrong = error.errors()[0]
        name = f"DIRECTORY_{'_'.join(map(str, wrong['loc'])).upper()}"
        raise InvalidSettings(f"{name}: {wrong['msg'].removeprefix('Value error, ')}") from error


def _masked(text: str) -> str:
    """A URL without what may be secret: who signs in with what, and the values of its query."""
    text = re.sub(r"://.*@", "://***@", text)
    return re.sub(r"([?&][^=&]*=)[^&]*", r"\1***", text)
