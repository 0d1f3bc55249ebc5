"""Every setting there is, each an environment variable ``PARLOUR_<NAME>`` or a line of a ``.env`` file."""

import difflib
import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from dotenv import dotenv_values
from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from parlour.cores import granted_cores
from parlour.domain.token import TOKEN_MAX, TOKEN_MIN
from parlour.objects import objects_url

PREFIX = "PARLOUR_"
ENV_FILE = ".env"


class BadSetting(Exception):  # noqa: N818 - what the operator reads is the sentence in it
    """A setting that makes no sense, told in a sentence."""


def _origin(url: str) -> str:
    scheme, _, rest = url.partition("://")
    if scheme not in {"http", "https"} or not rest or any(character in rest for character in "/?#@ "):
        raise ValueError("must be an origin such as https://rooms.example.com, without a path")
    return url


def _database(url: str) -> str:
    from parlour.store.database import check_database_url  # costs the time of an import to those who set no URL

    check_database_url(url)
    return url


def _one_of_schemes(*schemes: str) -> AfterValidator:
    def check(url: str) -> str:
        scheme, separator, rest = url.partition("://")
        if not separator or not rest or scheme not in schemes:
            raise ValueError(f"must be a URL that begins with one of {', '.join(f'{s}://' for s in schemes)}")
        return url

    return AfterValidator(check)


def _token(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if not TOKEN_MIN <= len(value) <= TOKEN_MAX or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(f"must be {TOKEN_MIN} to {TOKEN_MAX} printable ASCII characters without a space")
    return secret


def _addresses(value: str) -> str:
    for part in listed(value):
        try:
            address = ipaddress.ip_address(part)
        except ValueError:
            raise ValueError(f"{part} is not an IP address; names are not resolved here") from None
        if address.is_unspecified or address.is_multicast:
            raise ValueError(f"{part} is not an address that a client can send to")
    return value


def _ice_urls(*schemes: str) -> AfterValidator:
    pattern = re.compile(rf"({'|'.join(schemes)}):[^\s,/?#@]+(\?transport=(udp|tcp))?")

    def check(value: str) -> str:
        for part in listed(value):
            if not pattern.fullmatch(part):
                raise ValueError(f"{part} is not like {schemes[0]}:host:3478, with commas between several")
        return value

    return AfterValidator(check)


def listed(value: str | None) -> tuple[str, ...]:
    """The parts of a setting that holds several, separated by commas."""
    return tuple(part for part in map(str.strip, (value or "").split(",")) if part)


class Settings(BaseSettings):
    """What an operator can choose. The field's description is what ``parlour settings`` prints."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=ENV_FILE, env_ignore_empty=True, extra="ignore", frozen=True
    )

    host: str = Field("localhost", description="Name or address to listen on; 0.0.0.0 or :: for every interface.")
    port: int = Field(8080, ge=0, le=65535, description="TCP port of REST and the API page; 0 takes a free one.")
    public_url: Annotated[str, AfterValidator(_origin)] | None = Field(
        None,
        description="Origin under which clients reach the server, for the links it gives; needed behind a proxy."
        " By default what each request's Host header says.",
    )
    connect_host: str | None = Field(
        None,
        pattern=r"^(wss?://)?[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?$",
        description="Host, with a port if need be, that browser SDKs are told in each join token to connect to; by"
        " default the page tells them.",
    )
    tls_cert: Path | None = Field(None, description="PEM file of the certificate chain; with PARLOUR_TLS_KEY, HTTPS.")
    tls_key: Path | None = Field(None, description="PEM file of the certificate's private key.")
    data_dir: Path = Field(Path("data"), description="Folder of everything that is kept: the embedded database.")
    database_url: Annotated[str, AfterValidator(_database)] | None = Field(
        None,
        description="sqlite:///path or postgresql://user:password@host/name; by default a SQLite file in the data"
        " folder.",
    )
    nats_url: Annotated[str, _one_of_schemes("nats", "tls")] | None = Field(
        None, description="NATS server that fronts and media workers meet on; by default a private one."
    )
    workers: int = Field(0, ge=0, le=256, description="Media workers that `parlour serve` runs; 0: one a core.")
    media_host: str = Field(
        "localhost",
        description="Name or address that media workers listen on; 0.0.0.0 or :: for every interface. By default this"
        " machine alone can join rooms.",
    )
    udp_port: int = Field(
        0, ge=0, le=65535, description="First UDP port of the media workers, the next ones get the next; 0: free ones."
    )
    ice_tcp_port: int = Field(
        0, ge=0, le=65535, description="First TCP port for clients whose network lets no UDP through; 0: none."
    )
    public_ip: Annotated[str, AfterValidator(_addresses)] | None = Field(
        None, description="Addresses that clients reach the media ports under, separated by commas; by default the own."
    )
    stun_urls: Annotated[str, _ice_urls("stun", "stuns")] | None = Field(
        None,
        description="STUN servers that clients are told, such as stun:stun.example.com:3478, separated by commas. By"
        " default none: media workers take the address that a client sends from, and browsers that are told a server"
        " wait for it, so that one that does not answer keeps them from joining.",
    )
    turn_urls: Annotated[str, _ice_urls("turn", "turns")] | None = Field(
        None,
        description="TURN servers that clients are told, such as turn:turn.example.com:3478?transport=udp, separated by"
        " commas; for networks that let nothing else through. By default none; any that is named must really work.",
    )
    turn_secret: SecretStr | None = Field(
        None,
        description="The secret shared with the TURN servers, coturn's static-auth-secret: each client gets a password"
        " made with it that expires.",
    )
    max_members: int = Field(
        300, ge=1, le=300, description="The most members of any room, also of one that sets no limit."
    )
    storage_url: Annotated[str, _one_of_schemes("file", "s3", "gs", "az")] | None = Field(
        None,
        description="Where recordings and previews go, such as s3://bucket/folder; by default a folder in the data"
        " folder.",
    )
    project_id: UUID | None = Field(None, description="Project to serve; by default one made at the first start.")
    api_token: Annotated[SecretStr, AfterValidator(_token)] | None = Field(
        None,
        description="API token with every permission for the project, replaced when this changes; by default one"
        " made at the first start and printed once.",
    )
    open_rooms: bool = Field(
        False,
        description="Let whoever knows a room's page join that room as a guest, without an invitation. By default only"
        " those who have one can.",
    )
    seat_grace: int = Field(
        45,
        ge=5,
        le=600,
        description="Seconds for which a seat is kept when its browser is gone. A reload or a change of networks takes"
        " a few; until then the others see a card with a name. The same for fronts and media workers.",
    )
    relief: bool = Field(
        True,
        description="Where a media worker has more to do than it can, give up quality step by step, then new cameras,"
        " then newcomers, so that sound never breaks. See docs/deploying.md.",
    )
    lenient_create: bool = Field(False, description="Create rooms without enable_room_previews too; it is then false.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged, and worse.")
    access_log: bool = Field(True, description="Log a line for each request.")

    @model_validator(mode="after")
    def _tls_is_a_pair(self) -> "Settings":
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("PARLOUR_TLS_CERT and PARLOUR_TLS_KEY go together; one of them is not set")
        for name, path in (("CERT", self.tls_cert), ("KEY", self.tls_key)):
            if path is not None and not path.is_file():
                raise ValueError(f"PARLOUR_TLS_{name}: there is no file {path}")
        return self

    @model_validator(mode="after")
    def _turn_has_its_secret(self) -> "Settings":
        if bool(listed(self.turn_urls)) != bool(self.turn_secret and self.turn_secret.get_secret_value()):
            raise ValueError("PARLOUR_TURN_URLS and PARLOUR_TURN_SECRET go together; one of them is not set")
        return self

    @model_validator(mode="after")
    def _ports_last_for_the_workers(self) -> "Settings":
        count = self.worker_count
        for name, first in (("UDP_PORT", self.udp_port), ("ICE_TCP_PORT", self.ice_tcp_port)):
            if first + count - 1 > 65535:
                raise ValueError(f"PARLOUR_{name}: {count} workers from {first} on need ports beyond 65535")
        return self

    @property
    def worker_count(self) -> int:
        """How many media workers there are, the default worked out: one for each whole core that may be used."""
        return self.workers or max(1, int(granted_cores()))

    @property
    def database(self) -> str:
        """The database's URL, the default worked out."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'parlour.sqlite3'}"

    @property
    def objects(self) -> str:
        """The URL of where recordings and previews are kept, the default worked out."""
        return objects_url(self.storage_url, self.data_dir)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment and the ``.env`` file.

    Raises ``BadSetting`` with a sentence for each value that makes no sense and each name that is no setting.
    """
    complaints = [_unknown(name) for name in sorted(_given() - set(Settings.model_fields))]
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        complaints += [_complaint(item["loc"], item["msg"]) for item in error.errors()]
    if complaints:
        raise BadSetting("\n".join(complaints))
    return settings


def _given() -> set[str]:
    names = [*os.environ, *dotenv_values(ENV_FILE)]
    return {name[len(PREFIX) :].lower() for name in names if name.upper().startswith(PREFIX)}


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name, Settings.model_fields, n=1)
    hint = f" Did you mean {PREFIX}{close[0].upper()}?" if close else " `parlour settings` lists them."
    return f"{PREFIX}{name.upper()} is not a setting.{hint}"


def _complaint(loc: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    return f"{PREFIX}{str(loc[0]).upper()}: {message[0].lower()}{message[1:]}." if loc else f"{message}."
