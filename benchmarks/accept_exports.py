"""Exports read by the engines' and clusters' own parsers, each pinned, each in an environment of its own.

    python -m benchmarks.accept_exports --build        make the environments (several GB, minutes to an hour)
    python -m benchmarks.accept_exports                check every shape against the environments that are there

Environments lie in ``$DEPLOY_PLANNER_ACCEPT`` (default ``~/.cache/deploy-planner/accept``). Engines are installed
without their dependencies: their parsers need CPU torch and a few small packages only. The CPU build of torch comes
from PyTorch's CPU index: set ``PIP_EXTRA_INDEX_URL`` to it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("DEPLOY_PLANNER_ACCEPT", "~/.cache/deploy-planner/accept")).expanduser()

TORCH = "torch==2.13.0+cpu"
COMMON = (
    "packaging", "regex", "pyyaml", "pydantic>=2.12", "numpy", "psutil", "cbor2", "pyzmq", "aiohttp", "requests",
    "openai-harmony", "openai", "msgspec", "cloudpickle", "pillow", "pybase64", "cachetools", "uvloop", "py-cpuinfo",
    "fastapi", "uvicorn", "prometheus-client", "prometheus-fastapi-instrumentator", "watchfiles", "python-json-logger",
    "gguf", "blake3", "diskcache", "lark", "einops", "sentencepiece", "tiktoken", "protobuf", "orjson", "setproctitle",
    "ipython", "python-multipart", "partial-json-parser", "mistral-common", "depyf", "compressed-tensors", "scipy",
    "pybind11", "soundfile", "opencv-python-headless", "interegular", "llguidance", "jsonschema",
    "model-hosting-container-standards",
)  # fmt: skip
"""What engine modules import before they build a parser; newest of each."""

VLLM_PROBE = """
import json, sys
try:
    from vllm.utils.argparse_utils import FlexibleArgumentParser
except ImportError:
    from vllm.utils import FlexibleArgumentParser
try:
    from vllm.entrypoints.common.cli_args import make_arg_parser
except ImportError:
    from vllm.entrypoints.openai.cli_args import make_arg_parser
parser = make_arg_parser(FlexibleArgumentParser())
for words in json.load(sys.stdin):
    try:
        known = parser.parse_args(words)
        print(json.dumps({"ok": True, "tp": known.tensor_parallel_size}))
    except SystemExit as error:
        print(json.dumps({"ok": False, "error": str(error)}))
    except Exception as error:
        print(json.dumps({"ok": False, "error": repr(error)[:300]}))
"""
SGLANG_PROBE = """
import argparse, json, sys
from sglang.srt.server_args import ServerArgs
for words in json.load(sys.stdin):
    parser = argparse.ArgumentParser()
    ServerArgs.add_cli_args(parser)
    try:
        known = parser.parse_args(words)
        print(json.dumps({"ok": True, "port": known.port}))
    except SystemExit as error:
        print(json.dumps({"ok": False, "error": str(error)}))
    except Exception as error:
        print(json.dumps({"ok": False, "error": repr(error)[:300]}))
"""
RAY_PROBE = """
import json, sys
from ray.serve.schema import ServeDeploySchema
for text in json.load(sys.stdin):
    try:
        ServeDeploySchema.model_validate(text)
        print(json.dumps({"ok": True}))
    except Exception as error:
        print(json.dumps({"ok": False, "error": repr(error)[:300]}))
"""
KSERVE_PROBE = """
import json, sys
from kserve import V1beta1InferenceService
from kubernetes.client import ApiClient
class Response:
    def __init__(self, data): self.data = data
for text in json.load(sys.stdin):
    try:
        made = ApiClient().deserialize(Response(json.dumps(text)), V1beta1InferenceService)
        kept = ApiClient().sanitize_for_serialization(made)
        lost = sorted(set(text["spec"]["predictor"]) - set(kept["spec"]["predictor"]))
        print(json.dumps({"ok": not lost, "error": f"unknown to the model: {lost}"}))
    except Exception as error:
        print(json.dumps({"ok": False, "error": repr(error)[:300]}))
"""


@dataclass(frozen=True)
class Environment:
    """A real parser."""

    requirements: tuple[str, ...]
    bare: tuple[str, ...] = ()
    """Installed without dependencies."""
    probe: str = ""
    engine: str = ""
    versions: str = ""
    """Of the shapes that it reads, by the release it is."""


ENVIRONMENTS: dict[str, Environment] = {
    "kubernetes": Environment(("kubernetes-validate==1.34.1",)),
    "vllm-0.33": Environment((TORCH, "transformers==5.20.0", *COMMON), ("vllm==0.33.0",), VLLM_PROBE, "vllm", "0.33.0"),
    "vllm-0.10": Environment((TORCH, "transformers==4.53.3", *COMMON), ("vllm==0.10.0",), VLLM_PROBE, "vllm", "0.10.0"),
    "sglang-0.5.16": Environment(
        (TORCH, "transformers==5.20.0", *COMMON), ("sglang==0.5.16",), SGLANG_PROBE, "sglang", "0.5.16"
    ),
    "sglang-0.4.6": Environment(
        (TORCH, "transformers==4.51.3", *COMMON), ("sglang==0.4.6",), SGLANG_PROBE, "sglang", "0.4.6"
    ),
    "ray": Environment(("ray[serve]==2.52.1",), (), RAY_PROBE, "ray"),
    "kserve": Environment(("kserve==0.15.2",), (), KSERVE_PROBE, "kserve"),
}


def python_of(name: str) -> Path | None:
    """The interpreter of an environment that was built; None otherwise."""
    python = FOLDER / name / "bin" / "python"
    return python if (FOLDER / name / "built").is_file() else None


def build(name: str) -> None:
    """Make one environment; what is there already is kept."""
    if python_of(name) is not None:
        return
    environment, place = ENVIRONMENTS[name], FOLDER / name
    venv.create(place, with_pip=True, clear=True)
    pip = [str(place / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, *environment.requirements], check=True)
    if environment.bare:
        subprocess.run([*pip, "--no-deps", *environment.bare], check=True)
    (place / "built").write_text("\n".join((*environment.requirements, *environment.bare)) + "\n")


def cases(environment: Environment) -> Iterator[tuple[str, Any]]:
    """What to let an environment read: commands of its engine at its release, or documents."""
    import yaml

    from planner.export.registry import applicable, render
    from tests.export.deployments import SHAPES, context, shape

    for name, tables in SHAPES.items():
        if environment.engine == "ray" and "ray-serve" in applicable(shape(name)):
            yield name, yaml.safe_load(render("ray-serve", shape(name))["config.yaml"])
        elif environment.engine == "kserve" and "kserve" in applicable(shape(name)):
            yield name, yaml.safe_load(render("kserve", shape(name))["inferenceservice.yaml"])
        elif tables["engine"]["name"].split("-")[0] == environment.engine:
            changed = {**tables, "engine": {"name": environment.engine, "version": environment.versions}}
            yield from _commands(name, context(changed))


def _commands(name: str, exported: Any) -> Iterator[tuple[str, list[str]]]:
    from planner.export.command import bare_place, command_of
    from planner.export.emit.words import substituted
    from planner.export.node import by_variables

    values = {"NODE_RANK": "1", "HEAD_ADDRESS": "10.0.0.1"}
    for follower in (False, True) if exported.layout.multi_node else (False,):
        command = command_of(exported, bare_place(exported), by_variables(follower))
        words = [substituted(w, values) for w in command.arguments]
        positional = not exported.runtime.model_flag
        yield f"{name}{' follower' if follower else ''}", ["--model", *words] if positional else words


def check(name: str) -> list[tuple[str, bool, str]]:
    """(case, accepted, error) of one environment."""
    environment, python = ENVIRONMENTS[name], python_of(name)
    if python is None or not environment.probe:
        return []
    named = list(cases(environment))
    env = {**os.environ, "VLLM_TARGET_DEVICE": "cpu", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [str(python), "-c", environment.probe], input=json.dumps([c for _, c in named]), env=env,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"ok"')]
    if len(answers) != len(named):
        return [(name, False, done.stderr[-2000:])]
    pairs = zip(named, answers, strict=True)
    return [(case, bool(a["ok"]), "" if a["ok"] else a.get("error", "") + done.stderr[-500:]) for (case, _), a in pairs]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"environments: {', '.join(ENVIRONMENTS)} (default: all)")
    parser.add_argument("--build", action="store_true", help="make the environments first")
    args = parser.parse_args()
    failed = 0
    for name in args.names or ENVIRONMENTS:
        if args.build:
            build(name)
        if python_of(name) is None:
            print(f"{name:<16} SKIPPED: not built (--build {name})")
            continue
        if not ENVIRONMENTS[name].probe:
            print(f"{name:<16} used by tests/export/test_accept.py")
            continue
        results = check(name)
        bad = [(case, error) for case, ok, error in results if not ok]
        failed += len(bad)
        print(f"{name:<16} {len(results) - len(bad)} of {len(results)} accepted")
        for case, error in bad:
            print(f"  {case}: {error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
