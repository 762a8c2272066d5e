"""Data types of UDA 1.1 §2.5, table 2-3: what is read, what is refused, what is written."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.upnp import data_types
from mediaserver.upnp.data_types import Escaped, bounds, reader, write

LIMITS = {
    "ui1": (0, 255),
    "ui2": (0, 65535),
    "ui4": (0, 4294967295),
    "ui8": (0, 18446744073709551615),
    "i1": (-128, 127),
    "i2": (-32768, 32767),
    "i4": (-2147483648, 2147483647),
    "i8": (-9223372036854775808, 9223372036854775807),
}


def test_every_type_of_the_architecture_is_known() -> None:
    named = (
        "ui1 ui2 ui4 ui8 i1 i2 i4 i8 int r4 r8 number fixed.14.4 float char string date dateTime "
        "dateTime.tz time time.tz boolean bin.base64 bin.hex uri uuid"
    )
    assert sorted(data_types.DATA_TYPES) == sorted(named.split())


@pytest.mark.parametrize("data_type", LIMITS)
def test_integers_are_read_to_their_limits_and_not_beyond(data_type: str) -> None:
    low, high = LIMITS[data_type]
    read = reader(data_type)
    assert (read(str(low)), read(str(high))) == (low, high)
    assert bounds(data_type) == (low, high)
    for text in (str(low - 1), str(high + 1)):
        with pytest.raises(ValueError, match="number"):
            read(text)


@pytest.mark.parametrize("data_type", ["ui4", "i4", "int"])
@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "1_0", "1.0", "0x1", "1e3", "\u0661", "\uff11", "--1", "\n1", "9" * 5000, "a"],
)
def test_what_only_python_takes_for_a_number_is_refused(data_type: str, text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        reader(data_type)(text)


@pytest.mark.parametrize("text", ["+1", "-0", "-1"])
def test_unsigned_numbers_have_no_sign(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        reader("ui4")(text)


@pytest.mark.parametrize(
    ("data_type", "text", "value"),
    [
        ("i4", "-1", -1),
        ("i4", "+1", 1),
        ("ui4", "007", 7),
        ("boolean", "1", True),
        ("boolean", "true", True),
        ("boolean", "yes", True),
        ("boolean", "0", False),
        ("boolean", "false", False),
        ("boolean", "no", False),
        ("r8", "-1.5e3", -1500.0),
        ("float", ".5", 0.5),
        ("number", "3", 3.0),
        ("fixed.14.4", "2.5000", 2.5),
        ("bin.base64", "AAEC\r\n/w==", b"\x00\x01\x02\xff"),
        ("bin.hex", "00fF", b"\x00\xff"),
        ("char", "é", "é"),
        ("string", " a\nb ", " a\nb "),
        ("uri", "", ""),
        ("uuid", "uuid:2fac1234-31f8-11b4-a222-08002b34c003", None),
        ("uuid", "2FAC1234-31F8-11B4-A222-08002B34C003", None),
        ("date", "2001-09-09", None),
        ("dateTime", "2001-09-09T01:46:40", None),
        ("dateTime.tz", "2001-09-09T01:46:40.25+02:00", None),
        ("time", "01:46:40", None),
        ("time.tz", "01:46:40Z", None),
    ],
)
def test_values_are_read(data_type: str, text: str, value: object) -> None:
    expected = text if value is None else value
    found = reader(data_type)(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("data_type", "text"),
    [
        ("boolean", ""),
        ("boolean", "True"),
        ("boolean", "2"),
        ("r8", "nan"),
        ("r8", "inf"),
        ("r8", "1e999"),
        ("r8", "1_0"),
        ("r8", " 1"),
        ("r8", "."),
        ("bin.base64", "AAE"),
        ("bin.base64", "A*=="),
        ("bin.base64", "é"),
        ("bin.hex", "0"),
        ("bin.hex", "0g"),
        ("bin.hex", "é"),
        ("char", ""),
        ("char", "ab"),
        ("uuid", "2fac1234"),
        ("date", "2001-9-9"),
        ("date", "\u0662\u0660\u0660\u0661-09-09"),
        ("dateTime", "2001-09-09T01:46:40Z"),
        ("time", "1:46"),
    ],
)
def test_other_texts_are_refused(data_type: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"not|large"):
        reader(data_type)(text)


@pytest.mark.parametrize(
    ("data_type", "value", "text"),
    [
        ("ui4", 4294967295, "4294967295"),
        ("boolean", True, "1"),
        ("boolean", False, "0"),
        ("fixed.14.4", 2.5, "2.5000"),
        ("r8", 3, "3.0"),
        ("bin.base64", b"\x00\x01\x02\xff", "AAEC/w=="),
        ("bin.hex", b"\x00\xff", "00ff"),
        ("string", "<&>", "<&>"),
    ],
)
def test_values_are_written(data_type: str, value: object, text: str) -> None:
    assert write(data_type, value) == text


@pytest.mark.parametrize(
    ("data_type", "value", "error"),
    [
        ("ui4", 2**32, ValueError),
        ("ui4", -1, ValueError),
        ("ui4", "7", TypeError),
        ("ui4", True, TypeError),
        ("r8", True, TypeError),
        ("r8", math.nan, ValueError),
        ("r8", math.inf, ValueError),
        ("fixed.14.4", 1e14, ValueError),
        ("boolean", 1, TypeError),
        ("string", b"x", TypeError),
        ("string", None, TypeError),
        ("uuid", "x", ValueError),
        ("date", "yesterday", ValueError),
        ("char", "ab", ValueError),
        ("bin.hex", "00", TypeError),
    ],
)
def test_values_of_another_type_are_not_written(
    data_type: str, value: object, error: type[Exception]
) -> None:
    with pytest.raises(error):
        write(data_type, value)


def test_escaped_text_stays_escaped() -> None:
    assert isinstance(write("string", Escaped("&lt;")), Escaped)
    assert not isinstance(write("string", "&lt;"), Escaped)


def test_an_unknown_type_has_no_reader() -> None:
    with pytest.raises(KeyError):
        reader("ui3")


@given(st.sampled_from(sorted(LIMITS)), st.data())
def test_integers_survive_writing_and_reading(data_type: str, data: st.DataObject) -> None:
    value = data.draw(st.integers(*LIMITS[data_type]))
    assert reader(data_type)(write(data_type, value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_survive_writing_and_reading(value: float) -> None:
    assert reader("r8")(write("r8", value)) == value


@given(st.floats(-9e13, 9e13))
def test_fixed_point_numbers_keep_four_digits(value: float) -> None:
    assert abs(float(str(reader("fixed.14.4")(write("fixed.14.4", value)))) - value) <= 0.0001


@given(st.binary(max_size=60), st.sampled_from(["bin.base64", "bin.hex"]))
def test_bytes_survive_writing_and_reading(value: bytes, data_type: str) -> None:
    assert reader(data_type)(write(data_type, value)) == value


@given(st.sampled_from(sorted(data_types.DATA_TYPES)), st.text(max_size=30))
def test_no_text_raises_anything_but_value_error(data_type: str, text: str) -> None:
    try:
        value = reader(data_type)(text)
    except ValueError:
        return
    assert value == reader(data_type)(write(data_type, value))
