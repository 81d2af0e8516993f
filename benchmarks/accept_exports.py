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
    "packaging==26.3", "regex==2026.11.15", "pyyaml==6.0.3", "pydantic==2.14.3", "numpy==2.3.5", "psutil==7.2.2",
    "cbor2==6.3.0", "pyzmq==27.3.0", "aiohttp==3.14.5", "requests==2.34.2", "openai-harmony==0.0.8", "openai==3.54.0",
    "msgspec==0.22.0", "cloudpickle==3.1.2", "pillow==13.0.0", "pybase64==1.5.1", "cachetools==8.0.1",
    "uvloop==0.23.0", "py-cpuinfo==9.0.0", "fastapi==0.165.0", "uvicorn==0.54.0", "prometheus-client==0.26.0",
    "prometheus-fastapi-instrumentator==8.1.0", "watchfiles==1.3.0", "python-json-logger==4.2.0", "gguf==0.19.0",
    "blake3==1.0.11", "diskcache==5.6.3", "lark==1.3.1", "einops==0.8.2", "sentencepiece==0.2.3", "tiktoken==0.14.0",
    "protobuf==7.36.2", "orjson==3.13.0", "setproctitle==1.3.8", "ipython==9.18.1", "python-multipart==0.0.34",
    "partial-json-parser==0.2.1.1.post7", "mistral-common==1.13.1", "depyf==0.20.0", "compressed-tensors==0.20.0",
    "scipy==1.17.1", "pybind11==3.1.0", "soundfile==0.14.0", "opencv-python-headless==5.0.0.93", "interegular==0.3.3",
    "llguidance==1.9.1", "jsonschema==4.26.0", "model-hosting-container-standards==0.1.16",
)  # fmt: skip
"""What engine modules import before they build a parser."""

VLLM_PROBE = """
import json, sys
import vllm.platforms
from vllm.platforms.cpu import CpuPlatform
vllm.platforms._current_platform = CpuPlatform()  # releases before 0.17 look for "cpu" in the wheel's version
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
import torch
library = torch.library.Library("torchvision", "DEF")  # its compiled part is for CUDA, and no argument needs it
for name in ("nms", "qnms"):
    library.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
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
        (getattr(ServeDeploySchema, "model_validate", None) or ServeDeploySchema.parse_obj)(text)
        print(json.dumps({"ok": True}))
    except Exception as error:
        print(json.dumps({"ok": False, "error": repr(error)[:300]}))
"""
KSERVE_PROBE = """
import json, sys
from kserve import V1beta1InferenceService
from kubernetes.client import ApiClient, models
import kserve.models
for name in dir(kserve.models):
    if name.startswith("V1"):
        setattr(models, name, getattr(kserve.models, name))  # where the client looks for classes
class Response:
    def __init__(self, data): self.data = data
for text in json.load(sys.stdin):
    try:
        try:
            made = ApiClient().deserialize(json.dumps(text), V1beta1InferenceService, "application/json")
        except TypeError:
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
    "vllm-0.33": Environment(
        (TORCH, "transformers==5.20.0", *COMMON),
        ("vllm==0.33.0", "xgrammar==0.2.8", "apache-tvm-ffi==0.1.15.post2"),
        VLLM_PROBE,
        "vllm",
        "0.33.0",
    ),
    "vllm-0.10": Environment((TORCH, "transformers==4.53.3", *COMMON), ("vllm==0.10.0",), VLLM_PROBE, "vllm", "0.10.0"),
    "sglang-0.5.16": Environment(
        (TORCH, "transformers==5.12.1", *COMMON),
        ("sglang==0.5.16", "triton==3.9.0", "torchvision==0.28.0", "xgrammar==0.2.8", "apache-tvm-ffi==0.1.15.post2"),
        SGLANG_PROBE,
        "sglang",
        "0.5.16",
    ),
    "sglang-0.4.6": Environment(
        (TORCH, "transformers==4.51.1", *COMMON),
        ("sglang==0.4.6", "triton==3.2.0", "torchvision==0.28.0"),
        SGLANG_PROBE,
        "sglang",
        "0.4.6",
    ),
    "ray": Environment(("ray[serve]==2.52.1",), (), RAY_PROBE, "ray"),
    "kserve": Environment(("kserve==0.15.2", "kubernetes==31.0.0"), (), KSERVE_PROBE, "kserve"),
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
