"""The command: examine, print, say whether all is well."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from mediaserver.app import logs
from mediaserver.app.doctor import library, report
from mediaserver.app.doctor.examining import examine
from mediaserver.app.doctor.findings import Finding, Verdict
from mediaserver.config import ConfigError, Settings


def run(load: Callable[[], Settings], file: Path | None, *, as_json: bool) -> bool:
    """Whether no check fails. With mistakes in the configuration nothing else can be checked."""
    logs.configure("error")
    findings: list[Finding]
    try:
        settings = load()
    except ConfigError as error:
        findings = library.configuration(file, error.problems)
    else:
        findings = asyncio.run(examine(settings, file))
    if as_json:
        print(report.document(findings))
    else:
        report.show(findings, Console(highlight=False))
    return report.verdict(findings) is not Verdict.FAILURE
