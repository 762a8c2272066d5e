"""Range requests as values (RFC 9110 §14). The table is that of §14.1.2 and of dlna-http 6."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.delivery import ranges
from mediaserver.delivery.ranges import NotSatisfiable, Span, Specifier

SIZE = 10_000


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        # RFC 9110 §14.1.2, of a representation of 10,000 bytes; last is inclusive there.
        ("bytes=0-499", 0, 500),
        ("bytes=500-999", 500, 1000),
        ("bytes=-500", 9500, 10_000),
        ("bytes=9500-", 9500, 10_000),
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 10_000),
        ("bytes=9999-9999", 9999, 10_000),
        ("bytes=9500-99999999999999999999", 9500, 10_000),
        ("bytes=-99999", 0, 10_000),
        ("BYTES=0-1", 0, 2),
        ("bytes= 0-1 ", 0, 2),
        ("bytes=,0-1,", 0, 2),
        ("bytes=0-1,20000-", 0, 2),  # what cannot be satisfied is left out (§15.3.7)
    ],
)
def test_a_range_is_the_bytes_it_names(header: str, start: int, stop: int) -> None:
    assert ranges.select(header, SIZE) == (Span(start, stop),)


@pytest.mark.parametrize(
    "header",
    [
        None, "", "bytes", "bytes=", "bytes=-", "bytes=,", "bytes=a-b", "bytes=1", "bytes=5-4",
        "bytes=0-1,5-4", "bytes=0-1,x", "bytes=--1", "bytes=+1-2", "bytes=1_0-20", "bytes=0x1-2",
        "bytes=1 - 2", "bytes =0-1", "bytes=\u0661-\u0662", "bytes:0-1", "items=0-1", "0-1",
        "bytes=0-1;x", "npt=0-1", "bytes=0-" + "9" * 256,
    ],
)  # fmt: skip
def test_what_is_no_range_of_bytes_is_ignored(header: str | None) -> None:
    # RFC 9110 §14.2
    assert ranges.select(header, SIZE) == ()


@pytest.mark.parametrize("header", ["bytes=10000-", "bytes=10000-10001", "bytes=-0", "bytes=-0,-0"])
def test_a_range_behind_the_end_cannot_be_satisfied(header: str) -> None:
    with pytest.raises(NotSatisfiable) as caught:
        ranges.select(header, SIZE)
    # RFC 9110 §15.5.17
    assert caught.value.content_range == "bytes */10000"


def test_nothing_of_an_empty_file_can_be_satisfied_but_its_last_bytes() -> None:
    with pytest.raises(NotSatisfiable):
        ranges.select("bytes=0-", 0)
    assert ranges.select("bytes=-5", 0) == ()


def test_several_ranges_in_order_and_apart_are_all_honoured() -> None:
    # RFC 9110 §14.1.2: "bytes=500-600,601-999"; adjacent ones are apart.
    assert ranges.select("bytes=0-0,500-600, 601-999,-1", SIZE) == (
        Span(0, 1), Span(500, 601), Span(601, 1000), Span(9999, 10_000),
    )  # fmt: skip


@pytest.mark.parametrize(
    "header",
    [
        "bytes=500-700,601-999",  # overlapping
        "bytes=500-600,0-1",  # backwards
        "bytes=0-,0-,0-,0-",
        "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 18, 2)),  # nine
    ],
)
def test_several_ranges_that_are_many_or_overlap_get_the_whole(header: str) -> None:
    # RFC 9110 §14.2, §17.15; CVE-2011-3192
    assert ranges.select(header, SIZE) == ()


def test_content_range_is_inclusive() -> None:
    # RFC 9110 §14.4
    assert Span(42, 1234).content_range(1234) == "bytes 42-1233/1234"


SPECIFIERS = st.one_of(
    st.builds(lambda first, more: Specifier(first, first + more), st.integers(0, 1 << 40),
              st.integers(0, 1 << 40)),
    st.builds(lambda first: Specifier(first, None), st.integers(0, 1 << 40)),
    st.builds(lambda length: Specifier(None, length), st.integers(0, 1 << 40)),
)  # fmt: skip


@given(st.lists(SPECIFIERS, min_size=1, max_size=4))
def test_a_header_that_is_written_is_read_as_the_same(specifiers: list[Specifier]) -> None:
    assert ranges.read("bytes=" + ",".join(map(str, specifiers))) == tuple(specifiers)


@given(st.one_of(st.text(), st.text("bytes=-,0123456789 \t")), st.integers(0, 1 << 40))
def test_any_header_gives_bytes_inside_the_content(header: str, size: int) -> None:
    spans: tuple[Span, ...] = ()
    with suppress(NotSatisfiable):
        spans = ranges.select(header, size)
    assert all(0 <= span.start < span.stop <= size for span in spans)
    assert sum(span.length for span in spans) <= size


@pytest.mark.parametrize("part", ["0-", "1-1,", "-", "1", " ", ",", "\t ,"])
def test_a_hostile_header_takes_no_time(part: str) -> None:
    # CVE-2025-62727: reading must not take time that grows faster than the header.
    header = "bytes=" + part * 1_000_000
    begin = time.process_time()
    assert ranges.select(header, SIZE) == ()
    assert time.process_time() - begin < 0.5
