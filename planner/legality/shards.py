"""Rules of tensor parallelism: heads, widths, blocks and groups by the ranks that cut them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from planner.documents.result import Finding
from planner.legality.layout import expert_tp, layout_finding
from planner.legality.shape import ModelShape, Width
from planner.resolved import Serving


def head_rules(shape: ModelShape, serving: Serving) -> Iterator[Finding]:
    """Attention and KV heads by TP."""
    tp = serving.tp
    bad = [h for h in shape.q_heads + shape.state_heads if h % tp]
    if bad:
        yield layout_finding(
            "tp-divides-heads", f"{bad[0]} attention heads cannot be divided over {tp} tensor ranks", shape, serving
        )
        return
    uneven = [h for h in shape.kv_heads if max(h, tp) % min(h, tp)]
    if uneven:
        message = f"{uneven[0]} KV heads can neither be divided over {tp} tensor ranks nor copied evenly"
        yield layout_finding("tp-divides-kv-heads", message, shape, serving)


def vision_rules(shape: ModelShape, serving: Serving, data_parallel: bool) -> Iterator[Finding]:
    """Heads of the image encoder by TP; engines that run it data-parallel only need the option."""
    if not shape.vision_heads or shape.vision_heads % serving.tp == 0:
        return
    message = f"the image encoder's {shape.vision_heads} heads cannot be divided over {serving.tp} tensor ranks"
    if data_parallel:
        fix = "run the encoder data-parallel (--mm-encoder-tp-mode data)"
        yield Finding("tp-divides-vision-heads", message, fix, "warning")
    else:
        yield layout_finding("tp-divides-vision-heads", message, shape, serving)


def width_rules(
    shape: ModelShape, serving: Serving, *, blocks: bool, groups: bool, guessed: bool = False
) -> Iterator[Finding]:
    """Widths by ranks: plain divisibility, whole blocks of block-scaled weights, whole groups of grouped ones.

    A scheme that is only guessed from the name of its format breaks blocks and groups as a remark.
    """
    tp, shared = serving.tp, expert_tp(serving)
    seen: set[str] = set()
    for width in shape.widths:
        if width.legal(tp, shared):
            continue
        rule = _width_rule(width, tp, shared)
        enforced = blocks if width.blocks else groups or width.unit == 1
        if rule not in seen and enforced:
            seen.add(rule)
            finding = layout_finding(rule, _width_message(width, tp, shared), shape, serving)
            yield replace(finding, severity="warning") if guessed and width.unit > 1 else finding


def _width_rule(width: Width, tp: int, shared: int) -> str:
    if width.shard(tp, shared) % 1:
        return "tp-divides-width"
    return "fp8-block-rows" if width.blocks else "quant-group-divides-shard"


def _width_message(width: Width, tp: int, shared: int) -> str:
    shard = width.shard(tp, shared)
    parts = width.parts(tp, shared)
    what = "block" if width.blocks else "quantisation group or pack" if width.unit > 1 else "whole number"
    size = f" of {width.unit}" if width.unit > 1 else ""
    return (
        f"{width.module}: {width.size} over {parts} ranks leaves {shard:g} a rank, not a multiple of the {what}{size}"
    )
