"""Findings for people and for scripts."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from rich.console import Console
from rich.text import Text

from mediaserver import __version__
from mediaserver.app.doctor.findings import Finding, Verdict
from mediaserver.web.wording import clean, things

_WORDS = {
    Verdict.OK: ("ok", "green"),
    Verdict.UNKNOWN: ("unknown", "cyan"),
    Verdict.WARNING: ("warning", "yellow"),
    Verdict.FAILURE: ("FAILURE", "bold red"),
}
_WIDTH = max(len(word) for word, _ in _WORDS.values())
LINE = 500
"""Characters of a text at most."""


def verdict(findings: Sequence[Finding]) -> Verdict:
    """The worst of all."""
    order = list(Verdict)
    return max((each.verdict for each in findings), key=order.index, default=Verdict.OK)


def show(findings: Sequence[Finding], console: Console) -> None:
    """Two lines at most for each: what was found, and the next step.

    What is the same on several interfaces is told once, with the names of all.
    """
    findings = list(_joined(findings))
    for each in findings:
        word, style = _WORDS[each.verdict]
        about = f" ({clean(each.about, LINE)})" if each.about else ""
        console.print(
            Text.assemble(
                (word.ljust(_WIDTH), style),
                "  ",
                (f"{each.check}{about}", "bold"),
                f": {clean(each.found, LINE)}",
            ),
            soft_wrap=True,
        )
        if each.next_step:
            step = f"{' ' * _WIDTH}  -> {clean(each.next_step, LINE)}"
            console.print(Text(step), soft_wrap=True)
    console.print(Text(f"\n{summary(findings)}"), soft_wrap=True)


def _joined(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Neighbours that differ in what they are about only, as one."""
    for same, group in groupby(findings, key=lambda finding: replace(finding, about="")):
        yield replace(same, about=", ".join(each.about for each in group if each.about))


def summary(findings: Sequence[Finding]) -> str:
    counts = Counter(each.verdict for each in findings)
    if counts[Verdict.FAILURE]:
        told = [things(counts[Verdict.FAILURE], "failure")]
        if counts[Verdict.WARNING]:
            told.append(things(counts[Verdict.WARNING], "warning"))
        return f"{' and '.join(told)}: begin with the first failure above."
    if counts[Verdict.WARNING]:
        return f"Nothing fails; {things(counts[Verdict.WARNING], 'warning')}."
    return (
        "Nothing wrong here. If a television sees nothing still, look between it and this machine:"
        " guest Wi-Fi, VLANs, client isolation."
    )


def document(findings: Sequence[Finding]) -> str:
    """JSON: ``verdict`` (the worst), ``version``, and ``findings`` in order.

    Each has ``check``, ``about``, ``verdict``, ``found``, ``next_step``, all of them text.
    """
    return json.dumps(
        {
            "verdict": verdict(findings),
            "version": __version__,
            "findings": [
                {
                    "check": each.check,
                    "about": each.about,
                    "verdict": each.verdict,
                    "found": each.found,
                    "next_step": each.next_step,
                }
                for each in findings
            ],
        },
        indent=2,
    )
