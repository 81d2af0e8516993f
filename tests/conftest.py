"""The end of a run says which real tools read the exports, and which did not."""

from __future__ import annotations

import pytest

from tests.acceptance.outcomes import RESULTS


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not RESULTS:
        return
    terminalreporter.section("exports read by the real tools")
    for tool, said in sorted(RESULTS.items(), key=lambda pair: ("SKIPPED" in pair[1], pair[0])):
        terminalreporter.write_line(f"{tool:<22} {said}")
