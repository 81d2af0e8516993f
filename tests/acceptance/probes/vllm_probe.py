"""vLLM's own parsers, built as its main program builds them: ``serve`` with its --config files, ``bench serve``; and
the engine's arguments as Ray passes them."""

import dataclasses
import pathlib
import sys
import tempfile

sys.modules["vllm._core_C"] = None  # compiled for CUDA; 0.6 has the same in Python for machines without it
import vllm.platforms
from answers import answer

try:
    from vllm.platforms.cpu import CpuPlatform

    vllm.platforms._current_platform = CpuPlatform()  # releases before 0.17 look for "cpu" in the wheel's version
except ImportError:
    pass
try:
    from vllm.utils.argparse_utils import FlexibleArgumentParser
except ImportError:
    from vllm.utils import FlexibleArgumentParser
try:
    from vllm.entrypoints.common.cli_args import make_arg_parser
except ImportError:
    from vllm.entrypoints.openai.cli_args import make_arg_parser

parser = FlexibleArgumentParser()
made = make_arg_parser(parser.add_subparsers(dest="subparser").add_parser("serve"))
if not any(action.dest == "model_tag" for action in made._actions):
    made.add_argument("model_tag")


def check(case):
    if "bench" in case:
        return bench(case["bench"])
    if "engine_kwargs" in case:
        return engine_arguments(case["engine_kwargs"])
    if case.get("config"):
        return config_file(case["words"][0], case["config"])
    return vars(parser.parse_args(["serve", *case["words"]]))


def config_file(model, text):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return vars(parser.parse_args(["serve", model, "--config", str(path)]))


def bench(words):
    from vllm.benchmarks.serve import add_cli_args

    client = FlexibleArgumentParser()
    add_cli_args(client)
    return vars(client.parse_args(words))


def engine_arguments(given):
    from vllm.engine.arg_utils import AsyncEngineArgs

    known = {field.name for field in dataclasses.fields(AsyncEngineArgs)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise ValueError(f"no engine arguments: {unknown}")
    return given


answer(check)
