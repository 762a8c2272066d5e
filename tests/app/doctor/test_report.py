"""Findings for people and for scripts."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from mediaserver.app.doctor import report
from mediaserver.app.doctor.findings import (
    Check,
    Finding,
    Verdict,
    failure,
    in_order,
    ok,
    unknown,
    warning,
)

OK = ok(Check.CLOCK, "right")
UNKNOWN = unknown(Check.INDEX, "too large")
WARNING = warning(Check.UNREADABLE, "3 files", "look at them")
FAILURE = failure(Check.PORT, "no connection", "open it", about="eth0 192.0.2.5")
OTHER_FAILURE = failure(Check.INDEX, "damaged", "restart")


def text(*findings: Finding, terminal: bool = False) -> str:
    output = io.StringIO()
    console = Console(
        file=output,
        force_terminal=terminal,
        color_system="standard" if terminal else "auto",
        width=60,
        highlight=False,
    )
    report.show(findings, console)
    return output.getvalue()


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [
        ([], Verdict.OK),
        ([OK], Verdict.OK),
        ([OK, UNKNOWN], Verdict.UNKNOWN),
        ([WARNING, UNKNOWN, OK], Verdict.WARNING),
        ([OK, FAILURE, WARNING], Verdict.FAILURE),
    ],
)
def test_the_worst_is_the_verdict_of_all(findings: list[Finding], verdict: Verdict) -> None:
    assert report.verdict(findings) is verdict


def test_each_finding_is_a_line_and_its_next_step_another() -> None:
    assert text(OK, FAILURE).splitlines() == [
        "ok       clock: right",
        "FAILURE  port (eth0 192.0.2.5): no connection",
        "         -> open it",
        "",
        "1 failure: begin with the first failure above.",
    ]


def test_what_is_the_same_on_several_interfaces_is_told_once() -> None:
    same, other = (replace(FAILURE, about=f"eth1 {each}") for each in ("2001:db8::5", "fe80::5"))
    different = replace(other, found="refused")
    assert text(FAILURE, same, different).splitlines() == [
        "FAILURE  port (eth0 192.0.2.5, eth1 2001:db8::5): no connection",
        "         -> open it",
        "FAILURE  port (eth1 fe80::5): refused",
        "         -> open it",
        "",
        "2 failures: begin with the first failure above.",
    ]


def test_a_long_line_is_not_broken_where_nobody_looks() -> None:
    long = ok(Check.CLOCK, "word " * 50)
    assert len(text(long).splitlines()) == 3


def test_colours_are_for_terminals() -> None:
    assert "\x1b[" in text(FAILURE, terminal=True)
    assert "\x1b" not in text(FAILURE)


def test_foreign_text_can_neither_colour_nor_break_a_line() -> None:
    hostile = warning(Check.SAME_NAME, "[red]a\x1b[2Jb\nc", "d\re\u202e", about="\x07")
    shown = text(hostile)
    assert "[red]a" in shown
    assert len(shown.splitlines()) == 4
    assert all(one.isprintable() for one in shown.splitlines())


@pytest.mark.parametrize(
    ("findings", "said"),
    [
        ([FAILURE, OTHER_FAILURE, WARNING], "2 failures and 1 warning"),
        ([WARNING], "Nothing fails; 1 warning."),
        ([OK, UNKNOWN], "Nothing wrong here."),
    ],
)
def test_the_last_line_sums_up(findings: list[Finding], said: str) -> None:
    assert text(*findings).splitlines()[-1].startswith(said)


def test_json_says_the_same() -> None:
    found = json.loads(report.document([OK, FAILURE]))
    assert found["verdict"] == "failure"
    assert found["findings"] == [
        {"check": "clock", "about": "", "verdict": "ok", "found": "right", "next_step": ""},
        {
            "check": "port",
            "about": "eth0 192.0.2.5",
            "verdict": "failure",
            "found": "no connection",
            "next_step": "open it",
        },
    ]


def test_json_survives_names_that_are_no_text() -> None:
    text = report.document([ok(Check.MEDIA_ROOT, "\udcff", about="/srv/\udcff")])
    text.encode()  # as it leaves the program
    (finding,) = json.loads(text)["findings"]
    assert finding["check"] == Check.MEDIA_ROOT
    assert finding["about"].startswith("/srv/")


def test_findings_stand_in_the_order_of_the_checks_and_stay_in_theirs() -> None:
    other = failure(Check.PORT, "refused", "start it", about="eth1")
    assert in_order([FAILURE, OK, other, UNKNOWN]) == [UNKNOWN, OK, FAILURE, other]


def test_the_names_of_the_checks_are_kept_for_scripts() -> None:
    assert {str(check) for check in Check} >= {
        "configuration", "data-directory", "disk-space", "index", "media-root", "items",
        "unreadable-files", "watches", "clock", "host-name", "server", "interface", "container",
        "ipv6", "port", "multicast-loop", "search-multicast", "search-unicast", "same-udn",
        "same-name", "searches-heard", "igmp-snooping", "firewall",
    }  # fmt: skip
