"""Models that somebody brings along are not kept for ever, nor what was worked out of them."""

from __future__ import annotations

import gc
import json
import pickle
from itertools import count

from planner.documents.files import parse_deployment
from planner.library import Library
from planner.memo import Derived, IdentityMemo, WeighedMemo, kept
from planner.models.architecture import Architecture, Tensor
from planner.models.source import cached_architecture
from planner.performance.operators import Operators
from planner.predict import predict

LAYERS = 48


def searched(number: int) -> dict[str, object]:
    """A config whose layers all differ, as those of searched architectures may."""
    plain = {"attention": {"n_heads_in_group": 4}, "ffn": {"ffn_mult": 1.0}}
    blocks = [{**plain, "ffn": {"ffn_mult": 1.0 + 0.5 * i}} for i in range(LAYERS)]
    return {
        "model_type": "nemotron-nas",
        "hidden_size": 1024,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 16,
        "vocab_size": 32000 + 64 * number,
        "max_position_embeddings": 8192,
        "block_configs": blocks,
    }


def living(kind: type) -> int:
    gc.collect()
    return sum(type(found) is kind for found in gc.get_objects())


def deployment(number: int) -> dict[str, object]:
    engine, weights = (("vllm", "bf16"), ("llama.cpp", "gguf:Q4_K_M"))[number % 2]
    return {
        "model": {"config": searched(number), "weights": weights},
        "hardware": {"accelerator": "h100-sxm-80gb", "per_node": 1},
        "engine": {"name": engine},
        "workload": {"isl": 512, "osl": 64, "concurrency": 4},
    }


def test_estimates_of_many_models_hold_on_to_few():
    library = Library()
    assert len(cached_architecture(searched(0)).layer_kinds) == LAYERS
    before = {kind: living(kind) for kind in (Architecture, Operators, Tensor)}
    for number in range(90):
        assert predict(parse_deployment(deployment(number), str(number)), library).memory is not None
    assert living(Architecture) - before[Architecture] < 60
    assert living(Operators) - before[Operators] < 60
    # tensors: those of the models that are kept, and of the tables by tensor, which hold 8,192 each
    assert living(Tensor) - before[Tensor] < 32_000


def test_one_config_is_one_model():
    assert cached_architecture(searched(1)) is cached_architecture(json.loads(json.dumps(searched(1))))
    assert cached_architecture(searched(1)) is not cached_architecture(searched(2))


class Owner:
    def __init__(self) -> None:
        self.derived = Derived()


def test_what_is_worked_out_stays_with_its_owner():
    calls = count()

    @kept
    def numbered(owner: Owner, name: str, *, times: int = 1) -> int:
        return next(calls)

    one, other = Owner(), Owner()
    assert numbered(one, "a") == numbered(one, "a") == 0
    assert numbered(one, "b") == 1
    assert numbered(one, "a", times=2) == numbered(one, "a", times=2) == 2
    assert numbered(other, "a") == 3
    for number in range(2000):
        numbered(one, str(number))
    assert len(one.derived) <= 512
    assert pickle.loads(pickle.dumps(one.derived)) == {}


def test_the_weight_of_what_is_kept_is_bounded_and_the_oldest_goes_first():
    memo, made = WeighedMemo[str](10, len), list[str]()

    def get(key: str, value: str) -> str:
        return memo.get(key, lambda: made.append(key) or value)

    for key in ("a", "b", "a", "c"):
        get(key, "1234")
    assert memo.weight == 8
    assert made == ["a", "b", "c"]
    get("a", "1234")
    get("b", "1234")
    assert made == ["a", "b", "c", "b"]
    assert get("big", "x" * 50) == get("big", "") == "x" * 50
    assert memo.weight == 50


def test_a_memo_by_identity_forgets_when_it_is_full():
    memo, owners = IdentityMemo[int](4), [object() for _ in range(9)]
    for number, owner in enumerate(owners):
        memo.get(owner, None, None, lambda number=number: number)
        assert memo.get(owner, None, None, lambda: -1) == number
    assert memo.get(owners[0], None, None, lambda: -1) == -1
