"""The command line: ``serve``, ``scan``, ``verify``, ``check-config``, ``why``, ``doctor``.

Exit codes: 0 done or stopped on request, 1 failed while running, 2 bad usage or configuration.
Failures that the owner can mend are one line each on standard error, without traceback.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from mediaserver import __version__, config
from mediaserver.clients import default_profiles, profile_named
from mediaserver.config import ConfigError, Problem, Settings
from mediaserver.data_directory import DataDirectory, DataDirectoryError, read_holder

FAILED = 1
BAD_USAGE = 2

app = typer.Typer(
    name="mediaserver",
    help="A UPnP AV / DLNA MediaServer: serves music, video and pictures to televisions, "
    "renderers and control points on the home network.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# ``readable=False``: what may not be read is told in our words, each command's own, or waited for.
MediaRoots = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="MEDIA_ROOT",
        help="Folders to serve, in place of those in the configuration file.",
        show_default=False,
        readable=False,
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Configuration file (TOML). Default: $MEDIASERVER_CONFIG, else "
        "~/.config/mediaserver/config.toml, else /etc/mediaserver/config.toml.",
        show_default=False,
        readable=False,
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        help="Where the index, the identity and the picture cache are kept.",
        show_default=False,
        readable=False,
    ),
]
Name = Annotated[
    str | None,
    typer.Option("--name", help="What televisions call the server.", show_default=False),
]
Port = Annotated[
    int | None,
    typer.Option(
        "--port", metavar="N", help="TCP port; 8200 unless configured, 0 takes a free one."
    ),
]
Interfaces = Annotated[
    list[str] | None,
    typer.Option(
        "--interface",
        metavar="NAME|ADDRESS",
        help="Serve on this interface only; may be given several times. Default: every one that "
        "is up and can multicast.",
        show_default=False,
    ),
]
LogLevel = Annotated[
    str | None,
    typer.Option(
        "--log-level", metavar="LEVEL", help="debug, info, warning or error.", show_default=False
    ),
]


def main() -> None:
    """The program."""
    app()


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mediaserver {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Options that stand before the command."""


@app.command()
def serve(
    media_roots: MediaRoots = None,
    config_file: ConfigFile = None,
    data_dir: DataDir = None,
    name: Name = None,
    port: Port = None,
    interface: Interfaces = None,
    log_level: LogLevel = None,
) -> None:
    """Serve the media roots until told to stop (SIGINT, SIGTERM).

    SIGHUP reads the configuration again and scans.
    """
    load = _with_roots(
        _loader(config_file, media_roots, data_dir, name, port, interface, log_level)
    )
    settings = _settings(load)
    # Deferred: the other commands start faster without the network half of the program.
    from mediaserver.app import logs, process, running

    logs.configure(settings.log.level)
    process.prepare()
    with _one_line_failures(), DataDirectory(settings.server.data_dir) as directory:
        running.run(running.serve(settings, directory, reload=load))


@app.command()
def scan(
    media_roots: MediaRoots = None,
    config_file: ConfigFile = None,
    data_dir: DataDir = None,
    log_level: LogLevel = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if any file could not be read.")
    ] = False,
    now: Annotated[
        bool,
        typer.Option(
            "--now",
            help="Have the server that runs on this data directory scan: the folders (or files) "
            "named, which lie in its media roots; without any, all of them.",
        ),
    ] = False,
) -> None:
    """Index the media roots once and print a summary; nothing is served."""
    if now:
        _have_scanned(media_roots or [], config_file, data_dir)
        return
    load = _loader(config_file, media_roots, data_dir, None, None, None, log_level)
    settings = _settings(_with_roots(load))
    from mediaserver.app import logs, process, scanning

    # The summary says what an owner wants to know; lines in between would tear the progress bar.
    logs.configure(log_level or "warning")
    process.prepare()
    _leave_it_to_the_server(settings.server.data_dir)
    with _one_line_failures(), DataDirectory(settings.server.data_dir) as directory:
        complete = asyncio.run(scanning.scan(settings, directory))
    if strict and not complete:
        raise typer.Exit(FAILED)


@app.command()
def verify(
    media_roots: MediaRoots = None,
    config_file: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Compare files, index and picture cache, and mend what differs.

    For after an accident; not while a server runs on the same data directory. Give it what serve
    was given. Exits with 1 if something could not be looked at or mended.
    """
    load = _loader(config_file, media_roots, data_dir, None, None, None, None)
    settings = _settings(_with_roots(load))
    from mediaserver.app import logs, process, verifying

    logs.configure("error")
    process.prepare()
    with _one_line_failures(), DataDirectory(settings.server.data_dir) as directory:
        well = asyncio.run(verifying.verify(settings, directory, typer.echo))
    raise typer.Exit(0 if well else FAILED)


@app.command("check-config")
def check_config(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="The file to check; default as for --config.",
            show_default=False,
            readable=False,
        ),
    ] = None,
) -> None:
    """Check the configuration (file and environment) and tell every problem at once."""
    settings = _settings(_loader(file, None, None, None, None, None, None))
    found = file or config.find_file(os.environ)
    typer.echo(f"{found or 'no configuration file'}: ok")
    for root in settings.library.roots:
        if not root.path.is_dir():
            typer.echo(f"note: media root {root.path} is not there at the moment")


@app.command()
def why(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A file or folder.", readable=False)],
    config_file: ConfigFile = None,
    data_dir: DataDir = None,
    media_root: Annotated[
        list[Path] | None,
        typer.Option(
            "--root",
            metavar="MEDIA_ROOT",
            help="A media root that is not in the configuration, and not served yet.",
            show_default=False,
            readable=False,
        ),
    ] = None,
) -> None:
    """Tell why a file is, or is not, served, and as what."""
    settings = _settings(_loader(config_file, media_root, data_dir, None, None, None, None))
    from mediaserver.app import scanning

    with _one_line_failures():
        served = scanning.explain(settings, path, typer.echo)
    raise typer.Exit(0 if served else FAILED)


@app.command()
def doctor(
    media_roots: MediaRoots = None,
    config_file: ConfigFile = None,
    data_dir: DataDir = None,
    name: Name = None,
    port: Port = None,
    interface: Interfaces = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Find out why a television does not see the server, list or play.

    Give it what serve was given. Works while the server runs, and while it does not; takes some
    seconds. Exits with 1 if a check fails.
    """
    load = _loader(config_file, media_roots, data_dir, name, port, interface, None)
    from mediaserver.app.doctor import command

    with _one_line_failures():
        well = command.run(load, config_file or config.find_file(os.environ), as_json=as_json)
    raise typer.Exit(0 if well else FAILED)


Loader = Callable[[], Settings]


def _loader(
    file: Path | None,
    media_roots: list[Path] | None,
    data_dir: Path | None,
    name: str | None,
    port: int | None,
    interfaces: list[str] | None,
    log_level: str | None,
) -> Loader:
    """What reads the configuration under these options, now and whenever it is to be re-read."""
    options: dict[str, object] = {
        "library.roots": [_absolute(path) for path in media_roots] if media_roots else None,
        "server.data_dir": _absolute(data_dir) if data_dir else None,
        "server.name": name,
        "server.port": port,
        "server.interfaces": interfaces or None,
        "log.level": log_level,
    }
    given = {key: value for key, value in options.items() if value is not None}

    def load() -> Settings:
        settings = config.load(
            file=file or config.find_file(os.environ), environ=os.environ, options=given
        )
        _check_profiles(settings)
        return settings

    return load


def _absolute(path: Path) -> str:
    """As seen from here; ``~``, which a shell leaves in ``--data-dir=~/x``, is for ``config``."""
    return str(path if path.parts[:1] == ("~",) else path.absolute())


def _with_roots(load: Loader) -> Loader:
    """The same, but without any media root a ConfigError.

    Who forgets to name them shall be told so, rather than lose an index to an empty library.
    """

    def checked() -> Settings:
        settings = load()
        if not settings.library.roots:
            reason = "no folder to serve: name one here, or set library.roots (see --help)"
            raise ConfigError([Problem("MEDIA_ROOT", reason)])
        return settings

    return checked


def _have_scanned(paths: list[Path], config_file: Path | None, data_dir: Path | None) -> None:
    settings = _settings(_loader(config_file, None, data_dir, None, None, None, None))
    from mediaserver.app import asking_to_scan

    with _one_line_failures():
        asking_to_scan.ask(
            settings.server.data_dir, [path.absolute() for path in paths], typer.echo
        )


def _leave_it_to_the_server(data_dir: Path) -> None:
    """Exit if one is running: it has the index, and scans by itself."""
    try:
        holder = read_holder(data_dir)
    except OSError:
        return  # told when the data directory is locked
    if holder is not None and holder.port is not None:
        _fail(
            f"a server with this data directory is running (process {holder.pid}) and notices "
            "changes by itself; to have it scan now: mediaserver scan --now"
        )


def _settings(load: Loader) -> Settings:
    try:
        return load()
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(f"mediaserver: {problem}", err=True)
        raise typer.Exit(BAD_USAGE) from None


def _check_profiles(settings: Settings) -> None:
    """What ``config`` cannot know: the names of client profiles. Raises ConfigError."""
    problems = []
    for address, name in settings.clients.profiles.items():
        try:
            profile_named(name, default_profiles())
        except ValueError as error:
            problems.append(Problem(f'clients.profiles."{address}"', str(error)))
    if problems:
        raise ConfigError(problems)


@contextmanager
def _one_line_failures() -> Iterator[None]:
    from mediaserver.app.failures import StartFailed

    try:
        yield
    except (DataDirectoryError, StartFailed) as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _fail("interrupted")


def _fail(reason: str) -> NoReturn:
    print(f"mediaserver: {reason}", file=sys.stderr)
    raise typer.Exit(FAILED)
