"""S1 to S9, N13, N20: control messages as weapons; each is answered quickly and in few bytes."""

import gzip
import itertools
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from lxml import etree

from tests.security.conftest import Besieged
from tests.security.hostile import CANARY
from tests.security.wire import (
    BROWSE,
    SEARCH,
    arguments,
    ask,
    browse,
    envelope,
    everything,
    fault_of,
    numbers,
    post,
    search,
)

pytestmark = pytest.mark.end_to_end

SECONDS = 20.0
"""Within which an answer comes on a busy machine. Bombs take minutes, or all memory."""
MEMORY_MB = 64
"""By which the program may grow through one message."""


@contextmanager
def bounded(besieged: Besieged) -> Iterator[None]:
    """Fails if what happens takes long, or makes the program grow."""
    started, before = time.monotonic(), _peak_mb(besieged)
    yield
    assert time.monotonic() - started < SECONDS
    assert _peak_mb(besieged) - before < MEMORY_MB


def _peak_mb(besieged: Besieged) -> int:
    with open(f"/proc/{besieged.program.process.pid}/status") as file:  # noqa: PTH123
        peak = next(line for line in file if line.startswith("VmHWM"))
    return int(peak.split()[1]) >> 10


def with_doctype(doctype: str, value: str) -> bytes:
    body = envelope("Browse", arguments(**BROWSE | {"ObjectID": "MARK"}))
    return body.replace(b"?><s:", f"?>{doctype}<s:".encode(), 1).replace(b"MARK", value.encode())


LAUGHS = "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "ha">' for n in range(10)
)
BOMBS = {
    "file": with_doctype('<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>', "&f;"),
    "parameter": with_doctype('<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>', "0"),
    "external": with_doctype('<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">', "0"),
    "laughs": with_doctype(f"<!DOCTYPE x [{LAUGHS}]>", "&l9;"),
    "quadratic": with_doctype(f'<!DOCTYPE x [<!ENTITY q "{"q" * 50_000}">]>', "&q;" * 50_000),
    "lower case": with_doctype("<!doctype x>", "0"),
    "undeclared": envelope("Browse", "<ObjectID>&f;</ObjectID>"),
    "depth": envelope("Browse", "<a>" * 20_000 + "</a>" * 20_000),
    "unclosed depth": envelope("Browse", "<a>" * 60_000),
    "elements": envelope("Browse", "<a/>" * 50_000),
    "empty elements": b"<>" * 120_000,
    "attributes": envelope("Browse", "<a " + " ".join(f'b{n}=""' for n in range(20_000)) + "/>"),
    "namespaces": envelope(
        "Browse", "<a " + " ".join(f'xmlns:b{n}="u{n}"' for n in range(10_000)) + "/>"
    ),
    "long name": envelope("Browse", "<" + "a" * 250_000 + "/>"),
    "long value": envelope("Browse", f'<a b="{"c" * 250_000}"/>'),
    "instructions": envelope("Browse", "<?a b?>" * 30_000),
    "comments": envelope("Browse", "<!---->" * 30_000),
    "sections": envelope("Browse", "<a>" + "<![CDATA[]]>" * 20_000 + "</a>"),
    "inclusion": envelope(
        "Browse",
        '<ObjectID><i:include xmlns:i="http://www.w3.org/2001/XInclude" parse="text" '
        'href="file:///etc/passwd"/></ObjectID>',
    ),
    "stylesheet": with_doctype('<?xml-stylesheet href="file:///etc/passwd"?><!DOCTYPE x>', "0"),
    "references": envelope("Browse", "<ObjectID>" + "&#x41;" * 40_000 + "</ObjectID>"),
    "nul": envelope("Browse", "<ObjectID>0\0</ObjectID>"),
    "surrogate": envelope("Browse", "<ObjectID>&#xD800;</ObjectID>"),
    "bad utf-8": envelope("Browse", "<ObjectID>0</ObjectID>").replace(b">0<", b">\xc0\xae\xff<"),
    "utf-7": envelope("Browse", "<ObjectID>+ADw-x</ObjectID>").replace(
        b'"1.0"', b'"1.0" encoding="utf-7"', 1
    ),
    "ebcdic": envelope("Browse", "").decode().encode("cp037"),
    "utf-32": envelope("Browse", "").decode().encode("utf-32"),
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
def test_no_document_gets_at_files_or_takes_time_or_memory(
    besieged: Besieged, bomb: str, encoding: str
) -> None:
    """S1, S2, S3 (CVE-2013-0340, CVE-2021-28302, CVE-2025-59375)."""
    body = BOMBS[bomb]
    if encoding != "utf-8":
        body = body.decode("latin-1").encode(encoding)
    with bounded(besieged):
        answer = post(besieged.program, body)

    assert answer.status in (400, 412, 413, 500)
    if answer.status == 500:
        assert fault_of(answer) in (402, 701)
    assert len(answer.body) < 1000
    assert b"root:" not in answer.body


def test_the_canary_of_the_test_before_is_one(besieged: Besieged) -> None:
    """Without any bomb the same envelope is answered."""
    body = envelope("Browse", arguments(**BROWSE))
    for encoding in ("utf-8", "utf-16"):
        assert post(besieged.program, body.decode().encode(encoding)).status == 200


NUMBERS = (
    "",
    " ",
    "+1",
    "-1",
    "-0",
    "1_0",
    "1,0",
    "1.0",
    "1e1",
    "0x1",
    "0b1",
    "١",
    "１",
    "²",
    "¹0",
    "๓",
    "4294967296",
    "18446744073709551616",
    "9" * 10_000,
    "1 0",
    "1\u00a0",
    "NaN",
    "inf",
    "None",
    "true",
    "1;--",
    "1 OR 1=1",
)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("name", ["StartingIndex", "RequestedCount"])
def test_what_is_no_ui4_is_402(besieged: Besieged, name: str, number: str) -> None:
    """S4: ``int()`` would take many of them; UDA 1.1 table 2-3, ui4."""
    assert fault_of(browse(besieged.program, **{name: number})) == 402
    assert fault_of(search(besieged.program, **{name: number})) == 402


@pytest.mark.parametrize(
    "number", ["0", "1", "2147483647", "2147483648", "4294967295", "00000000000"]
)
@pytest.mark.parametrize("name", ["StartingIndex", "RequestedCount"])
def test_every_ui4_is_taken(besieged: Besieged, name: str, number: str) -> None:
    """S4, S7: peers wrap at 2^31 and 2^32."""
    _, total = numbers(browse(besieged.program, ObjectID="vma"))
    with bounded(besieged):
        returned, again = numbers(browse(besieged.program, ObjectID="vma", **{name: number}))

    assert again == total
    value = int(number)
    expected = max(0, total - value) if name == "StartingIndex" else min(total, value or total)
    assert returned == expected


@pytest.mark.parametrize("action", ["Browse", "Search"])
def test_missing_empty_repeated_and_unknown_arguments_in_all_combinations(
    besieged: Besieged, action: str
) -> None:
    """S4: a peer crashed on a missing Filter."""
    names = BROWSE if action == "Browse" else SEARCH
    forms: dict[str, Callable[[str, str], str]] = {
        "given": lambda name, value: f"<{name}>{value}</{name}>",
        "missing": lambda name, value: "",
        "empty": lambda name, value: f"<{name}/>",
        "twice": lambda name, value: f"<{name}>{value}</{name}>" * 2,
        "nested": lambda name, value: f"<{name}><b>{value}</b></{name}>",
    }
    for chosen in itertools.product(forms, repeat=2):
        for first, second in itertools.combinations(names, 2):
            text = "".join(
                forms[chosen[0] if name == first else chosen[1] if name == second else "given"](
                    name, value
                )
                for name, value in names.items()
            )
            answer = post(
                besieged.program, envelope(action, text + "<Unknown>x</Unknown>"), action=action
            )
            if {"missing", "twice", "nested"} & set(chosen):
                assert fault_of(answer) == 402, (chosen, first, second)
            elif "empty" not in chosen:
                assert answer.status == 200
            else:
                assert answer.status == 200 or fault_of(answer) in (402, 701, 710)


SQL = (
    "'",
    '"',
    "'; DROP TABLE items; --",
    "' OR '1'='1",
    '" OR ""="',
    "1) UNION SELECT name FROM sqlite_master --",
    "0' AND 1=CAST((SELECT sql FROM sqlite_master) AS INT)--",
    "0;ATTACH DATABASE '/tmp/x' AS x",
    "load_extension('x')",
    "%",
    "_",
    "\\",
    "NEAR(a b)",
    "a AND b",
    "items.title",
    "f1 OR 1=1",
    "vma:0",
    "vma$1",
    "0x30",
)


@pytest.mark.parametrize("text", SQL)
@pytest.mark.parametrize("where", ["ObjectID", "SortCriteria", "ContainerID", "property"])
def test_text_with_a_meaning_in_sql_is_nothing_but_a_wrong_word(
    besieged: Besieged, where: str, text: str
) -> None:
    """S5 (CVE-2013-2745 and later ones)."""
    if where == "ObjectID":
        answer, codes = browse(besieged.program, ObjectID=text), {701, 402}
    elif where == "SortCriteria":
        answer, codes = browse(besieged.program, SortCriteria=f"+{text}"), {709}
    elif where == "ContainerID":
        answer, codes = search(besieged.program, ContainerID=text), {710, 402}
    else:
        answer, codes = search(besieged.program, SearchCriteria=f'{text} = "x"'), {708}

    assert fault_of(answer) in codes


@pytest.mark.parametrize("text", SQL)
def test_text_with_a_meaning_in_sql_is_searched_for_as_it_is(besieged: Besieged, text: str) -> None:
    """S5: what is found is what a plain reading of all titles finds."""
    titles = [
        str(each.findtext("{*}title"))
        for each in everything(besieged.program, lambda answer: None).values()
        if str(each.tag).endswith("}item") and each.get("refID") is None
    ]
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')

    answer = search(
        besieged.program,
        SearchCriteria=f'upnp:class derivedfrom "object.item" and dc:title contains "{quoted}"',
    )

    expected = sum(text.casefold() in title.casefold() for title in titles)
    assert numbers(answer)[1] == expected


def test_text_of_sql_has_changed_nothing(besieged: Besieged) -> None:
    assert besieged.program.library()["items"] == len(besieged.served)


SEARCH_BOMBS = {
    "nesting": "(" * 4000,
    "closed nesting": "(" * 2000 + '@id = "1"' + ")" * 2000,
    "terms": " and ".join(['dc:title contains "a"'] * 300),
    "many terms": " or ".join(['dc:title contains "a"'] * 64),
    "nested terms": "(" * 30 + " or ".join(['upnp:artist contains "e"'] * 60) + ")" * 30,
    "quotes": 'dc:title = "' + '\\"' * 4000,
    "backslashes": 'dc:title = "' + "\\" * 8001 + '"',
    "blanks": " " * 8000 + '@id = "1"',
    "regular expression": 'dc:title contains "' + "a*" * 3000 + '!"',
    "stars": "*" * 8000,
    "words": "and " * 2000,
    "too long": 'dc:title = "' + "x" * 100_000 + '"',
    "one letter": 'dc:title contains "a" and upnp:artist contains "e" and upnp:album contains "i"',
}


@pytest.mark.parametrize("bomb", SEARCH_BOMBS)
def test_no_criteria_take_long(besieged: Besieged, bomb: str) -> None:
    """S6."""
    with bounded(besieged):
        answer = search(besieged.program, SearchCriteria=SEARCH_BOMBS[bomb])

    assert answer.status == 200 or fault_of(answer) == 708


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"ObjectID": "f" * 1025}, 701),
        ({"ObjectID": "f" * 200_000}, 701),
        ({"Filter": "x," * 2049}, 402),
        ({"SortCriteria": "+dc:title," * 26}, 709),
        ({"SortCriteria": "+" * 257}, 709),
        ({"BrowseFlag": "x" * 100_000}, 402),
    ],
)
def test_arguments_have_a_length(besieged: Besieged, values: dict[str, str], code: int) -> None:
    """security.md 2."""
    with bounded(besieged):
        assert fault_of(browse(besieged.program, **values)) == code


@pytest.mark.parametrize(
    "action",
    [
        "CreateObject",
        "DestroyObject",
        "UpdateObject",
        "ImportResource",
        "ExportResource",
        "DeleteResource",
        "MoveObject",
        "CreateReference",
        "X_SetBookmark",
        "StopTransferResource",
        "__init__",
        "_browse",
        "service",
        "Browse ",
    ],
)
def test_actions_that_change_things_do_not_exist(besieged: Besieged, action: str) -> None:
    """S8 (CVE-2020-26948, CVE-2021-29490): neither the actions nor a way to our methods."""
    text = arguments(ObjectID="0", SourceURI="http://127.0.0.1:9/", DestinationURI="file:///tmp/x")

    answer = post(besieged.program, envelope(action.strip(), text), action=action)

    assert answer.status in (400, 412) or fault_of(answer) == 401


def test_faults_are_fixed_texts(besieged: Besieged) -> None:
    """S9: whatever is wrong with a value, the fault for it is the same, byte for byte."""
    rng = random.Random(2)  # noqa: S311 - the same each time
    values = ["".join(rng.choices("<>&'\"x\u00e9 ]", k=20)) for _ in range(20)]

    assert len({browse(besieged.program, ObjectID=value).body for value in values}) == 1
    assert len({search(besieged.program, SearchCriteria=value).body for value in values}) == 1
    assert len({browse(besieged.program, SortCriteria=value).body for value in values}) == 1


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "identity, gzip"])
def test_packed_bodies_are_415(besieged: Besieged, encoding: str) -> None:
    """N20: 100 MB of blanks in 100 KB are never unpacked."""
    packed = gzip.compress(b" " * 100_000_000)
    with bounded(besieged):
        answer = post(besieged.program, packed, f"Content-Encoding: {encoding}")

    assert answer.status == 415


def test_every_fault_is_xml(besieged: Besieged) -> None:
    for answer in (
        browse(besieged.program, ObjectID="<"),
        browse(besieged.program, Filter="x" * 9999),
    ):
        etree.fromstring(answer.body)
        assert CANARY not in answer.body


def test_the_program_still_answers(besieged: Besieged) -> None:
    assert ask(besieged.program, "/health").status == 200
