"""Every key of the configuration: type, limits, default, and a line of help.

The table in the README and ``config.example.toml`` are tested against these declarations.
"""

import ipaddress
import os
import re
import socket
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "MEDIASERVER_"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _absolute_path(value: object) -> Path:
    """A path as given, ``~`` replaced. Made here, as file names need not be valid Unicode."""
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError("should be a path")
    if "\0" in str(value):
        raise ValueError("should not hold a NUL character")
    try:
        path = Path(value).expanduser()
    except RuntimeError:
        raise ValueError("names the home directory of an unknown user") from None
    if not path.is_absolute():
        raise ValueError("should be an absolute path")
    return Path(os.path.normpath(path))


def _printable(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ValueError("should be text that can be shown on one line")
    return value.strip()


def _network(value: object) -> object:
    if value == "attached":
        return value
    try:
        return ipaddress.ip_network(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError('should be "attached" or a network such as "10.8.0.0/24"') from None


def _host(value: str) -> str:
    """A host name as it stands in ``Host``, without port (RFC 9110 §7.2), in lower case."""
    name = value.rstrip(".").lower()
    if not all(re.fullmatch(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?", part) for part in name.split(".")):
        raise ValueError("should be a host name without port")
    return name


def _address(value: object) -> Address:
    try:
        return ipaddress.ip_address(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("should be an IP address") from None


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _root(value: object) -> object:
    return {"path": value} if isinstance(value, str | Path) else value


AbsolutePath = Annotated[Path, PlainValidator(_absolute_path)]
Line = Annotated[str, AfterValidator(_printable)]


def _text(path: str | Path) -> str:
    """As text: names of files need not be valid Unicode."""
    return os.fsencode(path).decode("utf-8", "replace")


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MediaRoot(Section):
    path: AbsolutePath = Field(description="The folder.")
    name: Line | None = Field(
        default=None, max_length=64, description="Its title; without one, the folder's name."
    )

    @property
    def title(self) -> str:
        return self.name or _text(self.path.name or self.path)


class ServerSettings(Section):
    """Who we are, where we listen, whom we answer."""

    name: Line = Field(
        default="mediaserver on {hostname}",
        max_length=63,
        description="What televisions call the server. `{hostname}` is replaced.",
    )
    port: int = Field(
        default=8200, ge=0, le=65535, description="TCP port of everything; 0 takes a free one."
    )
    interfaces: tuple[Line, ...] = Field(
        default=(),
        description="Interfaces to serve, by name or address. Empty: every one that is up and "
        "can multicast; loopback and ports of bridges left out.",
    )
    allowed_hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = Field(
        default=(),
        description="Host names besides our addresses, `localhost` and this machine's own name "
        "under which we may be addressed.",
    )
    allowed_networks: tuple[
        Annotated[Literal["attached"] | Network, BeforeValidator(_network)], ...
    ] = Field(
        default=("attached",),
        description="Who may connect: networks, and `attached` for those this machine has an "
        "address in. Loopback always may, if `lo` is served.",
    )
    data_dir: AbsolutePath = Field(
        default_factory=lambda: platformdirs.user_data_path("mediaserver", appauthor=False),
        description="Folder of everything the program writes: index, identity, picture cache.",
    )

    @property
    def friendly_name(self) -> str:
        """``name`` with the host name put in; under 64 characters (UDA 1.1 §2.3)."""
        hostname = socket.gethostname().partition(".")[0]
        return self.name.replace("{hostname}", hostname)[:63]


class LibrarySettings(Section):
    """The media roots and how they are read."""

    roots: tuple[Annotated[MediaRoot, BeforeValidator(_root)], ...] = Field(
        default=(),
        description='Folders to serve: `"/path"` or `{path = "/path", name = "Title"}`.',
    )
    ignore: tuple[Line, ...] = Field(
        default=(),
        description="Patterns (`*.sample.mkv`, `Backup`) of files and folders to leave out, "
        "besides hidden ones.",
    )
    follow_links: bool = Field(
        default=False, description="Follow symbolic links that stay inside the media roots."
    )
    internet_radio: bool = Field(
        default=False,
        description="Show the internet addresses that playlists hold, as radio stations. Devices "
        "fetch them themselves; the server never does.",
    )
    poll_seconds: int = Field(
        default=300,
        ge=10,
        le=86400,
        description="How often folders are looked through that report no changes by themselves "
        "(network shares).",
    )
    quiet_seconds: float = Field(
        default=2.0,
        ge=0.1,
        le=600,
        description="How long a folder must be unchanged before it is read.",
    )
    workers: int = Field(
        default=0, ge=0, le=64, description="Processes that read files; 0: one a processor."
    )

    @property
    def titles(self) -> tuple[str, ...]:
        """Of each root. Folders of the same name are told apart by what they lie in."""
        plain = [root.title for root in self.roots]
        return tuple(
            f"{title} ({_text(root.path.parent.name or root.path.parent)})"
            if root.name is None and plain.count(title) > 1
            else title
            for root, title in zip(self.roots, plain, strict=True)
        )

    @field_validator("roots")
    @classmethod
    def _apart(cls, roots: tuple[MediaRoot, ...]) -> tuple[MediaRoot, ...]:
        for number, root in enumerate(roots):
            for other in roots[number + 1 :]:
                if root.path == other.path:
                    raise ValueError(f"{root.path} is given twice")
                if root.path in other.path.parents or other.path in root.path.parents:
                    raise ValueError(f"{root.path} and {other.path}: one lies inside the other")
        return roots


class DeliverySettings(Section):
    """How bytes are sent."""

    dscp: bool = Field(
        default=True, description="Mark media as streaming traffic (DSCP) for the network."
    )
    streams_per_host: int = Field(
        default=16, ge=1, le=1024, description="Files one device may fetch at a time."
    )
    art_cache_mb: int = Field(
        default=512, ge=16, description="Size of the cache of reduced pictures, in MB."
    )


class ClientSettings(Section):
    """Devices that are not recognised by what they send."""

    profiles: dict[Annotated[Address, BeforeValidator(_address)], str] = Field(
        default_factory=dict,
        description="Client profile by address, instead of recognition: "
        '`"192.168.1.20" = "Samsung television"`.',
    )


class WebSettings(Section):
    """The page for people."""

    details: Literal["network", "loopback"] = Field(
        default="network",
        description="Who sees other devices and unreadable files on the page: everyone who may "
        "connect (`network`) or this machine alone (`loopback`).",
    )


class LogSettings(Section):
    """What is written to standard error."""

    level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = Field(
        default="info", description="`debug`, `info`, `warning` or `error`."
    )


class Settings(BaseSettings):
    """Everything that can be configured. Only ``app`` and ``cli`` see it."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter="__"
    )

    server: ServerSettings = Field(default_factory=ServerSettings)
    library: LibrarySettings = Field(default_factory=LibrarySettings)
    delivery: DeliverySettings = Field(default_factory=DeliverySettings)
    clients: ClientSettings = Field(default_factory=ClientSettings)
    web: WebSettings = Field(default_factory=WebSettings)
    log: LogSettings = Field(default_factory=LogSettings)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is handed in: :func:`load` reads the layers, to know where each came from."""
        return (init_settings,)


def keys() -> dict[str, FieldInfo]:
    """Every key, as ``section.key``, with its declaration."""
    return {
        f"{section}.{key}": field
        for section, declared in Settings.model_fields.items()
        if isinstance(declared.annotation, type) and issubclass(declared.annotation, Section)
        for key, field in declared.annotation.model_fields.items()
    }
