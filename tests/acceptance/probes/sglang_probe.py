"""SGLang's own parsers of server arguments (also of KTransformers' fork) and of its load test."""

import argparse
import runpy
import sys
import types

import torch
from answers import answer

library = torch.library.Library("torchvision", "DEF")  # its compiled part is for CUDA, and no argument needs it
for name in ("nms", "qnms"):
    library.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
from sglang.srt.server_args import ServerArgs


class Parsed(Exception):
    """Carries the arguments out of a program."""


def check(case):
    if "bench" in case:
        return bench(case["bench"])
    parser = argparse.ArgumentParser()
    ServerArgs.add_cli_args(parser)
    return vars(parser.parse_args(case["words"]))


def bench(words):
    sys.modules.setdefault("datasets", types.SimpleNamespace(load_dataset=None))  # what the load test would send
    kept = argparse.ArgumentParser.parse_args

    def parse(self, *args, **kwargs):
        raise Parsed(vars(kept(self, *args, **kwargs)))

    argparse.ArgumentParser.parse_args, sys.argv = parse, ["bench_serving", *words]
    try:
        runpy.run_module("sglang.bench_serving", run_name="__main__")
    except Parsed as parsed:
        return parsed.args[0]
    finally:
        argparse.ArgumentParser.parse_args = kept
    raise RuntimeError("the program parsed nothing")


answer(check)
