import contextlib
import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.config import ConfigError, Settings, find_file, keys, load
from tests.library.privileges import permissions_count


def problems(
    path: Path,
    text: str = "",
    environ: dict[str, str] | None = None,
    options: dict[str, object] | None = None,
) -> list[str]:
    """What is wrong with a file of this text and these other layers, the file called FILE."""
    file = path / "config.toml"
    file.write_text(text, encoding="utf-8")
    try:
        load(file=file, environ=environ, options=options)
    except ConfigError as error:
        return [str(problem).replace(str(file), "FILE") for problem in error.problems]
    return []


def loaded(path: Path, text: str) -> Settings:
    file = path / "config.toml"
    file.write_text(text, encoding="utf-8")
    return load(file=file)


# What is configured, and by which layer


def test_with_nothing_configured_the_port_is_8200() -> None:
    """The contract of the command line: ``--port 8200`` is the default."""
    assert load().server.port == 8200


def test_settings_made_in_a_program_do_not_read_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MEDIASERVER_SERVER__PORT", "9999")
    assert Settings().server.port == 8200
    assert load().server.port == 8200


def test_the_environment_stands_over_the_file_and_the_command_line_over_both(
    tmp_path: Path,
) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[server]\nport = 1\nname = "file"\n[log]\nlevel = "error"\n')
    settings = load(
        file=file,
        environ={"MEDIASERVER_SERVER__PORT": "2", "MEDIASERVER_SERVER__NAME": "environment"},
        options={"server.port": 3},
    )

    assert settings.server.port == 3
    assert settings.server.name == "environment"
    assert settings.log.level == "error"


def test_roots_given_on_the_command_line_replace_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[library]\nroots = ["/srv/music", "/srv/films"]\n')

    roots = load(file=file, options={"library.roots": [Path("/mnt/usb")]}).library.roots

    assert [root.path for root in roots] == [Path("/mnt/usb")]


def test_a_root_is_a_path_or_a_table_with_a_title(tmp_path: Path) -> None:
    roots = loaded(
        tmp_path,
        '[library]\nroots = ["/srv/Music/", { path = "/mnt/b", name = "Films" }]\n',
    ).library.roots

    assert [(root.path, root.title) for root in roots] == [
        (Path("/srv/Music"), "Music"),
        (Path("/mnt/b"), "Films"),
    ]


def test_the_root_of_the_file_system_has_a_title_too() -> None:
    assert load(options={"library.roots": ["/"]}).library.roots[0].title == "/"


def test_a_root_whose_name_is_not_text_is_kept_byte_for_byte() -> None:
    """On POSIX a file name is bytes; Python hands them over as lone surrogates (PEP 383)."""
    path = Path("/srv/M\udcfcsik")
    root = load(options={"library.roots": [path]}).library.roots[0]

    assert bytes(root.path) == b"/srv/M\xfcsik"
    assert root.title.encode("utf-8") == "M\N{REPLACEMENT CHARACTER}sik".encode()


@pytest.mark.parametrize(
    "value", ["eth0,192.168.1.5", " eth0 , 192.168.1.5 ", '["eth0", "192.168.1.5"]']
)
def test_a_list_in_the_environment_is_json_or_has_commas(value: str) -> None:
    settings = load(environ={"MEDIASERVER_SERVER__INTERFACES": value})
    assert settings.server.interfaces == ("eth0", "192.168.1.5")


def test_a_table_in_the_environment_is_json() -> None:
    settings = load(environ={"MEDIASERVER_CLIENTS__PROFILES": '{"192.168.1.20": "samsung"}'})
    assert {str(address): name for address, name in settings.clients.profiles.items()} == {
        "192.168.1.20": "samsung"
    }


def test_variables_of_other_programs_are_left_alone() -> None:
    assert load(environ={"PATH": "/bin", "MEDIA": "x", "SERVER__PORT": "7"}) == Settings()


def test_a_home_directory_may_be_written_as_a_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    settings = loaded(tmp_path, '[library]\nroots = ["~/Music"]\n')
    assert settings.library.roots[0].path == Path("/home/ann/Music")


def test_the_friendly_name_is_shorter_than_64_characters() -> None:
    """UDA 1.1 §2.3: friendlyName "Should be < 64 characters"."""
    settings = load(options={"server.name": "n" * 50 + "{hostname}" * 1})
    assert "{hostname}" not in settings.server.friendly_name
    assert len(settings.server.friendly_name) < 64


def test_settings_cannot_be_changed() -> None:
    settings = load()
    with pytest.raises(ValueError, match="frozen"):
        settings.server.port = 1


# Where the file is looked for


def test_the_variable_names_the_file_even_if_it_does_not_exist(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    assert find_file({"MEDIASERVER_CONFIG": str(missing)}) == missing


def test_the_users_own_file_comes_before_the_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    system = tmp_path / "system.toml"
    own = tmp_path / "mediaserver" / "config.toml"

    assert find_file({}, system) is None
    system.write_text("")
    assert find_file({}, system) == system
    own.parent.mkdir()
    own.write_text("")
    assert find_file({}, system) == own


def test_a_home_that_may_not_be_entered_holds_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of root, say, which sudo -u leaves in $HOME."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    tmp_path.chmod(0)
    try:
        with permissions_count():
            assert find_file({}, tmp_path / "system.toml") is None
    finally:
        tmp_path.chmod(0o700)


def test_roots_of_the_same_name_are_told_apart_by_the_folder_above() -> None:
    roots = ["/mnt/disk1/Music", "/mnt/disk2/Music", {"path": "/x/Music", "name": "Music"}, "/y"]

    assert load(options={"library.roots": roots}).library.titles == (
        *("Music (disk1)", "Music (disk2)", "Music", "y"),
    )


def test_variables_that_kubernetes_makes_for_a_service_of_our_name_are_not_mistakes() -> None:
    """kubernetes.io/docs/concepts/services-networking/service/#environment-variables."""
    environ = {
        "MEDIASERVER_SERVICE_HOST": "10.0.0.11",
        "MEDIASERVER_SERVICE_PORT": "8200",
        "MEDIASERVER_PORT": "tcp://10.0.0.11:8200",
        "MEDIASERVER_PORT_8200_TCP_ADDR": "10.0.0.11",
        "MEDIASERVER_SERVER__PORT": "8201",
    }

    assert load(environ=environ).server.port == 8201


# Mistakes


def test_all_mistakes_are_told_together_each_with_its_place(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        '[server]\nport = 70000\nprot = 1\n[library]\nquiet_seconds = "soon"\n',
        environ={"MEDIASERVER_DELIVERY__DSCP": "maybe", "MEDIASERVER_SERVER__PRT": "1"},
        options={"log.level": "loud"},
    )

    assert sorted(found) == [
        "--log-level: should be 'debug', 'info', 'warning' or 'error', not 'loud'",
        "FILE: library.quiet_seconds: should be a valid number, not 'soon'",
        "FILE: server.port: should be less than or equal to 65535, not 70000",
        "FILE: server.prot: no such key; did you mean port?",
        "MEDIASERVER_DELIVERY__DSCP: should be a valid boolean, not 'maybe'",
        "MEDIASERVER_SERVER__PRT: no such setting; did you mean MEDIASERVER_SERVER__PORT?",
    ]


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("MEDIASERVER_PORT", "; did you mean MEDIASERVER_SERVER__PORT?"),
        ("MEDIASERVER_SERVER_PORT", "; did you mean MEDIASERVER_SERVER__PORT?"),
        ("MEDIASERVER_LIBRARY__ROOT", "; did you mean MEDIASERVER_LIBRARY__ROOTS?"),
        ("MEDIASERVER_XYZ", ""),
    ],
)
def test_an_unknown_variable_is_told_with_the_key_it_may_mean(
    tmp_path: Path, name: str, suggestion: str
) -> None:
    assert problems(tmp_path, "", environ={name: "1"}) == [f"{name}: no such setting{suggestion}"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            f"[server]\nname = '{64 * 'x'}'",
            f"FILE: server.name: should have at most 63 characters, not '{56 * 'x'}...",
        ),
        ("port = 8200", "FILE: port: no such key; did you mean server.port?"),
        ("[servr]\n", "FILE: servr: no such key; did you mean server?"),
        ("[zzz]\n", "FILE: zzz: no such key"),
        ("[library]\nrots = []", "FILE: library.rots: no such key; did you mean roots?"),
        ('server = "nas"', "FILE: server: should be a table, not 'nas'"),
        (
            '[server]\ninterfaces = "eth0"',
            "FILE: server.interfaces: should be a list, not 'eth0'",
        ),
        (
            '[library]\nroots = ["/a", { name = "B" }]',
            "FILE: library.roots[2].path: is missing",
        ),
        (
            '[library]\nroots = [{ path = "/a", titel = "B" }]',
            "FILE: library.roots[1].titel: no such key",
        ),
        (
            '[library]\nroots = ["Music"]',
            "FILE: library.roots[1]: should be an absolute path, not 'Music'",
        ),
        ("[library]\nroots = [7]", "FILE: library.roots[1]: should be a table, not 7"),
        ('[library]\nroots = ["/a", "/a/"]', "FILE: library.roots: /a is given twice"),
        (
            '[library]\nroots = ["/a/b", "/a"]',
            "FILE: library.roots: /a/b and /a: one lies inside the other",
        ),
        (
            '[server]\nallowed_networks = ["attached", "10.0.0.1/8"]',
            'FILE: server.allowed_networks[2]: should be "attached" or a network such as '
            "\"10.8.0.0/24\", not '10.0.0.1/8'",
        ),
        (
            "[server]\nallowed_networks = [3]",
            'FILE: server.allowed_networks[1]: should be "attached" or a network such as '
            '"10.8.0.0/24", not 3',
        ),
        (
            '[server]\nallowed_hosts = ["nas.lan:8200"]',
            "FILE: server.allowed_hosts[1]: should be a host name without port, not 'nas.lan:8200'",
        ),
        (
            '[clients.profiles]\n"1.2.3" = "kodi"',
            "FILE: clients.profiles.1.2.3: should be an IP address, not '1.2.3'",
        ),
        (
            '[server]\nname = "two\\nlines"',
            "FILE: server.name: should be text that can be shown on one line, not 'two\\nlines'",
        ),
        (
            '[server]\ndata_dir = "a\\u0000b"',
            "FILE: server.data_dir: should not hold a NUL character, not 'a\\x00b'",
        ),
        (
            "[server\n",
            "FILE: is not TOML: Expected ']' at the end of a table declaration "
            "(at line 1, column 8)",
        ),
    ],
)
def test_a_mistake_in_the_file_is_told_in_one_line(tmp_path: Path, text: str, problem: str) -> None:
    assert problems(tmp_path, text) == [problem]


def test_a_name_with_a_line_break_does_not_break_the_line(tmp_path: Path) -> None:
    assert problems(tmp_path, '"a\\nb\\u001b" = 1') == ["FILE: a\\nb\\x1b: no such key"]


def test_a_port_beyond_16_bits_is_a_mistake_of_the_option_that_gave_it(tmp_path: Path) -> None:
    assert problems(tmp_path, "[server]\nport = 1\n", options={"server.port": 65536}) == [
        "--port: should be less than or equal to 65535, not 65536"
    ]


def test_text_that_should_have_been_json_is_told_with_its_variable(tmp_path: Path) -> None:
    assert problems(tmp_path, environ={"MEDIASERVER_CLIENTS__PROFILES": "{"}) == [
        "MEDIASERVER_CLIENTS__PROFILES: should be a table, not '{'"
    ]


def test_a_mistake_in_an_entry_of_a_list_is_told_with_its_variable(tmp_path: Path) -> None:
    assert problems(tmp_path, environ={"MEDIASERVER_LIBRARY__ROOTS": "/a,b"}) == [
        "MEDIASERVER_LIBRARY__ROOTS[2]: should be an absolute path, not 'b'"
    ]


def test_a_file_that_is_not_there_is_a_mistake_if_it_was_named(tmp_path: Path) -> None:
    file = tmp_path / "missing.toml"
    with pytest.raises(ConfigError) as caught:
        load(file=file)
    assert str(caught.value) == f"{file}: cannot be read: No such file or directory"


def test_a_file_in_another_encoding_is_a_mistake(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes('[server]\nname = "Müsik"\n'.encode("latin-1"))
    with pytest.raises(ConfigError) as caught:
        load(file=file)
    assert str(caught.value) == f"{file}: is not UTF-8 text (byte 18)"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.sampled_from(sorted(keys())),
)
def test_any_value_for_any_key_is_taken_or_refused_as_a_mistake(value: object, key: str) -> None:
    section, _, name = key.partition(".")
    variable = f"MEDIASERVER_{section}__{name}"
    try:
        load(environ={variable: json.dumps(value)})
    except ConfigError as error:
        refused = [str(problem) for problem in error.problems]
    else:
        refused = []
    assert all(problem.startswith(variable.upper()) for problem in refused)
    assert all(problem.isprintable() for problem in refused)


@given(st.binary())
def test_any_file_is_taken_or_refused_as_a_mistake(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_bytes(data)
    with contextlib.suppress(ConfigError):
        load(file=file)


# The example


def example(*, with_defaults: bool) -> str:
    """The example file; ``with_defaults`` puts in force the keys that stand behind a ``#``."""
    text = (Path(__file__).parent.parent / "config.example.toml").read_text(encoding="utf-8")
    if not with_defaults:
        return text
    lines = text.splitlines()
    return "\n".join(
        line[1:] if line.startswith("#") and not line.startswith(("# ", "#\n")) else line
        for line in lines
    )


def test_the_example_as_it_is_changes_nothing(tmp_path: Path) -> None:
    assert loaded(tmp_path, example(with_defaults=False)) == Settings()


def test_the_example_names_every_key_with_its_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    text = example(with_defaults=True)
    named = {f"{section}.{key}" for section, table in tomllib.loads(text).items() for key in table}

    assert named == set(keys())
    assert loaded(tmp_path, text) == Settings()
