"""One call for front ends: a log or a metrics page, by name or as text, compared and on request kept as calibration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from planner.calibration import keep, site_path
from planner.documents.deployment import Deployment
from planner.errors import BadInput
from planner.verify.lines import Line, clean_lines, log_lines
from planner.verify.metrics import looks_like_metrics
from planner.verify.result import Verification
from planner.verify.site import measured
from planner.verify.source import file_chunks, read_source
from planner.verify.verification import Verified, unusable, verify_lines

if TYPE_CHECKING:
    from planner.library import Library


def verify_log(deployment: Deployment, log: str, library: Library, *, calibrate: bool = False) -> Verification:
    """The engine's start-up log in a file ("-" is standard input). Raises BadInput."""
    return _verified(deployment, clean_lines(file_chunks(log)), library, log if calibrate else None)


def verify_page(deployment: Deployment, page: str, library: Library, *, calibrate: bool = False) -> Verification:
    """The engine's Prometheus page, at an http(s) address or in a file. Raises BadInput."""
    text = read_source(page)
    if not looks_like_metrics(text):
        raise BadInput(page, "is not a Prometheus page", "name the /metrics address, or give a log by --log")
    return _verified(deployment, log_lines(text), library, page if calibrate else None, metrics=True)


def verify_text(deployment: Deployment, text: str, library: Library, *, calibrate: bool = False) -> Verification:
    """Text that was pasted or read elsewhere: a log or a metrics page, whichever it looks like."""
    metrics = looks_like_metrics(text)
    return _verified(deployment, log_lines(text), library, "pasted text" if calibrate else None, metrics=metrics)


def _verified(
    deployment: Deployment, lines: Iterable[Line], library: Library, source: str | None, *, metrics: bool = False
) -> Verification:
    """``source``: where the lines come from, when they shall be kept as calibration."""
    verified = verify_lines(deployment, lines, library, metrics=metrics, built_in=source is not None)
    return verified.answer if source is None else replace(verified.answer, calibration=_calibrated(verified, source))


def _calibrated(verified: Verified, source: str) -> str:
    """Keeps what was measured for later plans on this machine; says what was kept, or why nothing was."""
    reason = unusable(verified.answer)
    row = None if reason else measured(verified.resolved, verified.parts, source)
    if row is None:
        return f"nothing was kept: {reason or 'the log prints no overheads'}"
    keep(row, site_path())
    return f"kept for {row.engine} {'.'.join(map(str, row.release))} on {row.accelerator}, {row.ranks} rank(s)"
