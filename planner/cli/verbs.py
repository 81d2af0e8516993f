"""The verbs of the command. A verb is a module of ``planner.cli`` with ``configure(parser)`` and ``run(args)``.

A front end adds its own verbs with ``register`` before the command runs: nothing in here knows of it.
"""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple


class Verb(NamedTuple):
    """A verb's module and its one-line help."""

    module: str
    """Name in ``planner.cli``, or the whole dotted name of a front end's own module."""
    help: str

    def load(self) -> Any:
        """The module, imported when the verb is wanted."""
        return importlib.import_module(self.module if "." in self.module else f"planner.cli.{self.module}")


VERBS: dict[str, Verb] = {
    "plan": Verb("plan", "Propose ranked deployments for this or other hardware, with every rejection explained."),
    "finetune": Verb("finetune", "Propose ranked training jobs: will it fit, how long, on which of the GPUs."),
    "estimate": Verb("estimate", "Predict memory, speed and legality of one deployment, or of one per line."),
    "detect": Verb("detect", "Show this machine's hardware, or read saved output of vendor tools."),
    "cost": Verb("cost", "What a deployment draws and costs: owned, rented, against an API, over the years."),
    "buy": Verb("buy", "What to buy for a model and a load: the smallest fleets over the whole hardware database."),
    "export": Verb("export", "Write the files that start a deployment."),
    "doctor": Verb("doctor", "Check this machine before a start: driver, shared memory, limits, disks, free memory."),
    "verify": Verb("verify", "Compare an engine's start-up log or metrics with the plan; calibrate to this machine."),
    "explain": Verb("explain", "Explain an engine's failure: the rule it broke and the nearest deployment that works."),
    "models": Verb("models", "Search the model catalogue; every number with its source."),
    "hardware": Verb("hardware", "Search the hardware database; every number with its source."),
    "schema": Verb("schema", "Print the JSON Schema of a document."),
    "completion": Verb("completion", "Print a completion script for bash, zsh or tcsh."),
}


def register(name: str, verb: Verb) -> None:
    """A front end's own verb: listed, completed and run like the others."""
    VERBS[name] = verb


EXAMPLES = """without a verb:
  deploy-planner              the app, on a terminal: [--hardware SPEC|FILE] [--data DIR] [--fresh] [--ascii]
  deploy-planner --plain      the same walk as lines of text: screen readers, dumb terminals, scripts
  deploy-planner --json       the plan for this machine as a document; takes all options of plan

examples:
  deploy-planner plan --hardware 8xH200 --model deepseek-r1 --users 64
  deploy-planner finetune --hardware 2xRTX-4090 --model qwen3-32b --method qlora
  deploy-planner estimate deployment.toml --json
  deploy-planner export deployment.toml -o out/

Every verb explains itself with --help. stdout carries only the document, messages go to stderr.

exit codes: 0 something fits · 3 nothing fits or illegal · 2 bad usage or input · 1 internal error · 130 interrupted
"""


def epilog() -> str:
    """Every verb in a line, then examples."""
    width = max(map(len, VERBS))
    listed = "\n".join(f"  {name:<{width}}  {verb.help}" for name, verb in VERBS.items())
    return f"verbs:\n{listed}\n\n{EXAMPLES}"


def version_text() -> str:
    """``deploy-planner 0.1.0``."""
    from planner.version import VERSION

    return f"deploy-planner {VERSION}"
