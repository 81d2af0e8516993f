"""``vllm serve``'s own parser, built as its main program builds it; also its reader of --config files."""

import os
import tempfile

from answers import answer

import vllm.platforms

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
serve = parser.add_subparsers(dest="subparser").add_parser("serve")
made = make_arg_parser(serve)
if not any(action.dest == "model_tag" for action in made._actions):
    made.add_argument("model_tag")


def check(case):
    words = ["serve", *case["words"]]
    if case.get("config"):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "config.yaml")
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(case["config"])
            return vars(parser.parse_args(["serve", case["words"][0], "--config", path]))
    return vars(parser.parse_args(words))


answer(check)
