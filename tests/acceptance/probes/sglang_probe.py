"""SGLang's own parser of server arguments (also of KTransformers' fork of it)."""

import argparse

import torch
from answers import answer

library = torch.library.Library("torchvision", "DEF")  # its compiled part is for CUDA, and no argument needs it
for name in ("nms", "qnms"):
    library.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
from sglang.srt.server_args import ServerArgs  # noqa: E402


def check(case):
    parser = argparse.ArgumentParser()
    ServerArgs.add_cli_args(parser)
    return vars(parser.parse_args(case["words"]))


answer(check)
