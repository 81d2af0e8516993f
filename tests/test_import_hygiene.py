"""What a headless run loads, proved in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

TOOLKITS = ("textual", "rich")


def loaded_after(statement: str) -> set[str]:
    code = "\n".join(
        [
            "import sys, io, json, contextlib",
            f"with contextlib.redirect_stdout(io.StringIO()):\n    {statement}",
            "print(json.dumps(sorted(sys.modules)))",
        ]
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "argv",
    [
        ["plan", "--json", "--hardware", "8xH200", "--model", "deepseek-r1"],
        ["detect", "--json"],
        ["hardware", "h200", "--json"],
        ["models", "deepseek", "--json"],
    ],
    ids=lambda argv: argv[0],
)
def test_headless_runs_load_no_terminal_toolkit(argv: list[str]) -> None:
    modules = loaded_after(f"from planner.cli.main import main; assert main({argv!r}) in (0, 3)")
    assert not {m for m in modules if m.split(".")[0] in TOOLKITS}


def test_help_and_version_load_neither_pydantic_nor_textual() -> None:
    modules = loaded_after("import tui.main; from planner.cli.main import top_parser; top_parser().format_help()")
    assert not {m for m in modules if m.split(".")[0] in (*TOOLKITS, "pydantic", "psutil", "pynvml")}


def test_nvml_is_loaded_only_to_detect_and_pydantic_only_to_read_documents() -> None:
    modules = loaded_after(
        "from planner.cli.main import main; "
        "assert main(['plan', '--json', '--hardware', '8xH200', '--model', 'deepseek-r1']) == 0"
    )
    assert not {"pynvml", "pydantic"} & modules
