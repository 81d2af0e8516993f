"""The layout of a GGUF file that was read: exact bytes of every tensor, by layer, from its header."""

from __future__ import annotations

import re
from collections.abc import Iterable

from planner.models.gguf import GgufFile, GgufTensor
from planner.models.gguf_layout import GgufLayout, LayerBytes, Types, laid_out, layer_row

_BLOCK = re.compile(r"blk\.(\d{1,6})\.(.+)")
_TABLES = ("token_embd.weight", "per_layer_token_embd.weight")


def exact_layout(file: GgufFile, num_layers: int) -> GgufLayout | None:
    """Bytes by layer and type as stored; None where parts or layers are missing.

    Blocks beyond ``num_layers`` are multi-token prediction, which llama.cpp does not load for plain serving.
    """
    blocks: dict[int, list[tuple[str, GgufTensor]]] = {}
    tables: list[GgufTensor] = []
    rest: list[GgufTensor] = []
    for tensor in file.tensors:
        found = _BLOCK.fullmatch(tensor.name)
        if found:
            blocks.setdefault(int(found.group(1)), []).append((found.group(2), tensor))
        else:
            (tables if tensor.name in _TABLES else rest).append(tensor)
    if file.missing or not tables or any(i not in blocks for i in range(num_layers)):
        return None
    layers = [_layer(blocks[i]) for i in range(num_layers)]
    tied = not any(tensor.name == "output.weight" for tensor in rest)
    head = [*rest, *(tables[:1] if tied else ())]
    return laid_out(_types(tables), _types(head), layers, tied=tied, spread=0.0, exact=True)


def _layer(named: Iterable[tuple[str, GgufTensor]]) -> LayerBytes:
    listed = tuple(named)
    experts = [(name, tensor) for name, tensor in listed if "_exps" in name]
    dense = [tensor for name, tensor in listed if "_exps" not in name]
    stacks = [(name, t.bytes / (2 if "gate_up" in name else 1)) for name, t in experts if name.endswith(".weight")]
    down = max((size for name, size in stacks if "down" in name), default=0.0)
    gate = max((size for name, size in stacks if "down" not in name), default=0.0)
    return layer_row(_types(dense), _types([tensor for _, tensor in experts]), gate, down)


def _types(tensors: Iterable[GgufTensor]) -> Types:
    sizes: dict[str, float] = {}
    for tensor in tensors:
        sizes[tensor.type] = sizes.get(tensor.type, 0.0) + tensor.bytes
    return tuple(sorted(sizes.items()))
