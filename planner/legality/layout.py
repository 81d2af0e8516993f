"""Rules of a layout: what tensor, expert, pipeline and data parallelism may divide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from planner.documents.result import Finding
from planner.legality.shape import ModelShape, Width
from planner.resolved import Cluster, Serving


def ranks(serving: Serving) -> int:
    """Devices of one pipeline stage: experts are spread over all of them."""
    return serving.tp * serving.attention_dp


def expert_tp(serving: Serving) -> int:
    """Ranks that share one expert."""
    return max(ranks(serving) // serving.ep, 1)


def heads_fit(shape: ModelShape, tp: int) -> bool:
    """Every rank gets whole heads; fewer KV heads than ranks are copied in equal numbers."""
    return all(h % tp == 0 for h in shape.q_heads + shape.state_heads) and all(
        max(h, tp) % min(h, tp) == 0 for h in shape.kv_heads
    )


def widths_fit(shape: ModelShape, serving: Serving) -> bool:
    tp, shared = serving.tp, expert_tp(serving)
    return all(width.legal(tp, shared) for width in shape.widths)


def layout_fits(shape: ModelShape, serving: Serving) -> bool:
    """All rules of tensor parallelism together."""
    vision = not shape.vision_heads or shape.vision_heads % serving.tp == 0
    return heads_fit(shape, serving.tp) and vision and widths_fit(shape, serving)


def kv_copies(shape: ModelShape, serving: Serving) -> int:
    """How many ranks of a tensor-parallel group keep the same KV entries; 1: none twice."""
    if shape.replicated_kv:
        return max(serving.tp // serving.dcp, 1)
    if not shape.kv_heads:
        return 1
    return max(serving.tp // min(shape.kv_heads), 1)


def nearest_layout(shape: ModelShape, serving: Serving) -> dict[str, object]:
    """The smallest legal change: expert parallelism over all ranks, else fewer tensor ranks and more stages."""
    if shape.experts and serving.ep != ranks(serving):
        spread = replace(serving, ep=ranks(serving))
        if layout_fits(shape, spread) and all(e % spread.ep == 0 for e in shape.experts):
            return {"serving.ep": spread.ep}
    for tp in range(serving.tp - 1, 0, -1):
        smaller = replace(serving, tp=tp, ep=_ep_for(serving, tp))
        if layout_fits(shape, smaller):
            return _change(serving, smaller, shape.num_layers)
    return {"serving.tp": 1, "serving.ep": 1}


def _ep_for(serving: Serving, tp: int) -> int:
    if serving.ep == ranks(serving):
        return tp * serving.attention_dp
    return serving.ep if (tp * serving.attention_dp) % serving.ep == 0 else 1


def _change(serving: Serving, smaller: Serving, num_layers: int) -> dict[str, object]:
    change: dict[str, object] = {"serving.tp": smaller.tp}
    if smaller.ep != serving.ep:
        change["serving.ep"] = smaller.ep
    spare = serving.tp // smaller.tp
    if serving.tp % smaller.tp == 0 and serving.pp * spare <= num_layers:
        change["serving.pp"] = serving.pp * spare
    return change


def in_words(change: dict[str, object]) -> str:
    """A change as a sentence fragment: "tp 16 and pp 2"."""
    return " and ".join(f"{key.rpartition('.')[2]} {value}" for key, value in change.items())


def head_rules(shape: ModelShape, serving: Serving) -> Iterator[Finding]:
    """Attention and KV heads by TP."""
    tp = serving.tp
    bad = [h for h in shape.q_heads + shape.state_heads if h % tp]
    if bad:
        yield _layout_finding(
            "tp-divides-heads", f"{bad[0]} attention heads cannot be divided over {tp} tensor ranks", shape, serving
        )
        return
    uneven = [h for h in shape.kv_heads if max(h, tp) % min(h, tp)]
    if uneven:
        message = f"{uneven[0]} KV heads can neither be divided over {tp} tensor ranks nor copied evenly"
        yield _layout_finding("tp-divides-kv-heads", message, shape, serving)


def vision_rules(shape: ModelShape, serving: Serving, data_parallel: bool) -> Iterator[Finding]:
    """Heads of the image encoder by TP; engines that run it data-parallel only need the option."""
    if not shape.vision_heads or shape.vision_heads % serving.tp == 0:
        return
    message = f"the image encoder's {shape.vision_heads} heads cannot be divided over {serving.tp} tensor ranks"
    if data_parallel:
        fix = "run the encoder data-parallel (--mm-encoder-tp-mode data)"
        yield Finding("tp-divides-vision-heads", message, fix, "warning")
    else:
        yield _layout_finding("tp-divides-vision-heads", message, shape, serving)


def width_rules(shape: ModelShape, serving: Serving, *, blocks: bool, groups: bool) -> Iterator[Finding]:
    """Widths by ranks: plain divisibility, whole blocks of block-scaled weights, whole groups of grouped ones."""
    tp, shared = serving.tp, expert_tp(serving)
    seen: set[str] = set()
    for width in shape.widths:
        if width.legal(tp, shared):
            continue
        rule = _width_rule(width, tp, shared)
        enforced = blocks if width.blocks else groups or width.unit == 1
        if rule not in seen and enforced:
            seen.add(rule)
            yield _layout_finding(rule, _width_message(width, tp, shared), shape, serving)


def _width_rule(width: Width, tp: int, shared: int) -> str:
    if width.shard(tp, shared) % 1:
        return "tp-divides-width"
    return "fp8-block-rows" if width.blocks else "quant-group-divides-shard"


def _width_message(width: Width, tp: int, shared: int) -> str:
    shard = width.shard(tp, shared)
    parts = shared if width.cut == "experts" else min(tp, width.heads) if width.cut == "heads" else tp
    what = "block" if width.blocks else "quantisation group or pack" if width.unit > 1 else "whole number"
    size = f" of {width.unit}" if width.unit > 1 else ""
    return (
        f"{width.module}: {width.size} over {parts} ranks leaves {shard:g} a rank, not a multiple of the {what}{size}"
    )


def expert_rules(shape: ModelShape, serving: Serving, *, uneven: bool, all_ranks: bool) -> Iterator[Finding]:
    """Expert parallelism: it divides the ranks, the experts divide by it, and there are experts at all."""
    total = ranks(serving)
    if serving.ep == 1:
        return
    if not shape.experts:
        yield Finding(
            "ep-without-experts", "the model has no experts to spread", "set ep 1", "error", {"serving.ep": 1}
        )
    elif total % serving.ep:
        ep = max(e for e in range(1, min(serving.ep, total) + 1) if total % e == 0)
        message = f"ep {serving.ep} does not divide tp × attention_dp = {total}"
        yield Finding("ep-divides-ranks", message, f"set ep {ep}", "error", {"serving.ep": ep})
    elif all_ranks and serving.ep != total:
        message = f"this engine spreads experts over all {total} ranks or none, not over {serving.ep}"
        yield Finding("ep-takes-all-ranks", message, f"set ep {total}", "error", {"serving.ep": total})
    elif not uneven and (bad := [e for e in shape.experts if e % serving.ep]):
        ep = max(e for e in range(1, serving.ep) if total % e == 0 and all(x % e == 0 for x in shape.experts))
        message = f"{bad[0]} experts cannot be divided over ep {serving.ep}"
        yield Finding("experts-divide-by-ep", message, f"set ep {ep}", "error", {"serving.ep": ep})


def pipeline_rules(shape: ModelShape, serving: Serving) -> Iterator[Finding]:
    """Every stage needs a layer."""
    if serving.pp > shape.num_layers:
        message = f"{serving.pp} pipeline stages for {shape.num_layers} layers leave stages empty"
        change = {"serving.pp": shape.num_layers}
        yield Finding("pp-exceeds-layers", message, f"set pp {shape.num_layers} or fewer", "error", change)


def context_parallel_rules(serving: Serving) -> Iterator[Finding]:
    """Decode context parallelism lives inside the tensor group."""
    if serving.tp % serving.dcp:
        dcp = max(d for d in range(1, serving.dcp + 1) if serving.tp % d == 0)
        message = f"dcp {serving.dcp} does not divide tp {serving.tp}"
        yield Finding("dcp-divides-tp", message, f"set dcp {dcp}", "error", {"serving.dcp": dcp})


def device_rules(serving: Serving, cluster: Cluster) -> Iterator[Finding]:
    """As many devices as there are."""
    if serving.gpus <= cluster.num_devices:
        return
    layout = f"tp {serving.tp} × attention_dp {serving.attention_dp} × pp {serving.pp} × dp {serving.dp}"
    message = f"{layout} = {serving.gpus} devices, but there are {cluster.num_devices}"
    change = fewer_devices(serving, cluster.num_devices)
    yield Finding("gpus-available", message, f"set {in_words(change)}", "error", change)


def fewer_devices(serving: Serving, available: int) -> dict[str, object]:
    """Drop replicas first, then pipeline stages, then attention groups, then tensor ranks."""
    change: dict[str, object] = {}
    left = serving
    for name in ("dp", "pp", "attention_dp", "tp"):
        if left.gpus <= available:
            break
        own = getattr(left, name)
        keep = max(available * own // left.gpus, 1)
        keep = max(d for d in range(1, keep + 1) if own % d == 0)
        change[f"serving.{name}"] = keep
        left = _with(left, name, keep)
    if serving.ep > 1 and left.ep != ranks(left):
        change["serving.ep"] = ranks(left)
    return change


def _with(serving: Serving, name: str, ways: int) -> Serving:
    sizes = {"tp": serving.tp, "attention_dp": serving.attention_dp, "pp": serving.pp, "dp": serving.dp, name: ways}
    return replace(serving, tp=sizes["tp"], attention_dp=sizes["attention_dp"], pp=sizes["pp"], dp=sizes["dp"])


def attention_dp_rules(shape: ModelShape, serving: Serving) -> Iterator[Finding]:
    """Engines whose attention groups share nothing but experts: without experts they are replicas."""
    if serving.attention_dp > 1 and not shape.experts:
        change = {"serving.attention_dp": 1, "serving.dp": serving.dp * serving.attention_dp}
        message = "without experts, attention_dp groups share nothing: they are replicas"
        yield Finding("attention-dp-needs-experts", message, f"set {in_words(change)}", "warning", change)


def node_rules(serving: Serving, cluster: Cluster) -> Iterator[Finding]:
    """Groups across nodes need a network; tensor ranks across nodes need a fast one and whole nodes."""
    stage, node = ranks(serving), cluster.per_node
    if cluster.nodes == 1 or stage * serving.pp <= node:
        return
    if stage <= node:
        if cluster.fabric is None:
            message = "pipeline stages cross nodes over a network that is not named"
            yield Finding("network-unknown", message, "name hardware.fabric", "warning")
        return
    change = _into_nodes(serving, node)
    if cluster.fabric is None:
        message = f"tp × attention_dp = {stage} crosses nodes of {node} and no fabric between them is known"
        fix = f"name hardware.fabric, or set {in_words(change)}"
        yield Finding("tp-across-nodes-needs-fabric", message, fix, "error", change)
    elif stage % node:
        message = f"tp × attention_dp = {stage} fills nodes of {node} unevenly"
        yield Finding("group-fills-nodes", message, f"set {in_words(change)}", "error", change)


def _into_nodes(serving: Serving, node: int) -> dict[str, object]:
    """The same devices with tensor groups inside nodes and stages across them."""
    tp = max(t for t in range(1, min(serving.tp, node) + 1) if serving.tp % t == 0)
    groups = max(g for g in range(1, serving.attention_dp + 1) if serving.attention_dp % g == 0 and g * tp <= node)
    stages = serving.pp * ranks(serving) // (tp * groups)
    change: dict[str, object] = {"serving.tp": tp, "serving.pp": stages}
    if groups != serving.attention_dp:
        change["serving.attention_dp"] = groups
    if serving.ep > 1:
        change["serving.ep"] = tp * groups
    return change


def _layout_finding(rule: str, message: str, shape: ModelShape, serving: Serving) -> Finding:
    change = nearest_layout(shape, serving)
    return Finding(rule, message, f"set {in_words(change)}", "error", change)
