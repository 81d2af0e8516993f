"""Why a figure came out otherwise: small rules over planned and actual. They say "likely", never "certainly"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from planner.engines.version import compare, parse_version
from planner.resolved import Resolved
from planner.units import GIB, human_bytes
from planner.verify.actual import Actual
from planner.verify.result import Part, Reason, Setting

_HELD = 1.0 * GIB
"""Free memory missing at start beyond this belongs to someone; a context of one's own takes about half of it."""


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a rule may look at."""

    resolved: Resolved
    actual: Actual
    parts: tuple[Part, ...]
    settings: tuple[Setting, ...]

    def outside(self, *names: str) -> tuple[str, ...]:
        return tuple(p.name for p in self.parts if p.name in names and p.state in ("below", "above"))

    def part(self, name: str) -> Part | None:
        return next((p for p in self.parts if p.name == name and p.device is None), None)

    def setting(self, key: str) -> Setting | None:
        return next((s for s in self.settings if s.key == key and not s.same), None)


Rule = Callable[[Case], Iterator[Reason]]
_POOL = ("kv_cache", "kv_tokens", "max_concurrency")


def likely_reasons(case: Case) -> tuple[Reason, ...]:
    """All rules that speak, most telling first."""
    return tuple(reason for rule in RULES for reason in rule(case))


def _other_engine(case: Case) -> Iterator[Reason]:
    planned, actual = case.resolved.engine, case.actual.engine
    if actual and actual not in (planned.name, planned.family):
        fix = f'write engine.name = "{actual}" and estimate again'
        yield Reason("other-engine", f"the log is of {actual}, the plan of {planned.name}", fix)


def _other_version(case: Case) -> Iterator[Reason]:
    planned = case.resolved.engine
    seen, meant = parse_version(case.actual.version).release, planned.release
    if seen and meant and case.actual.engine in (planned.name, planned.family) and compare(seen, meant) != 0:
        message = f"{planned.name} {case.actual.version} ran, the plan is for {planned.version}: overheads differ"
        fix = f'write engine.version = "{case.actual.version}" and estimate again'
        yield Reason("other-version", message, fix, case.outside("activations", "non_torch", "cuda_graphs", *_POOL))


def _other_settings(case: Case) -> Iterator[Reason]:
    explained = {
        "max_model_len": ("max_concurrency",),
        "gpu_memory_utilization": _POOL,
        "tp": ("weights", *_POOL),
        "pp": ("weights", *_POOL),
        "kv_cache_dtype": ("kv_tokens", "max_concurrency", "kv_cache"),
        "max_num_batched_tokens": ("activations", *_POOL),
        "max_num_seqs": ("activations", "cuda_graphs", *_POOL),
        "block_size": ("kv_tokens",),
        "enforce_eager": ("cuda_graphs", *_POOL),
        "ubatch": ("compute",),
        "parallel": ("kv_cache", "recurrent"),
    }
    for setting in case.settings:
        if setting.same:
            continue
        said = "assumed" if setting.assumed else "planned"
        message = f"{setting.key} is {_plain(setting.actual)}, {said} {_plain(setting.planned)}"
        fix = f"start it with the exported flags, or plan with serving.{setting.key} = {_toml(setting.actual)}"
        yield Reason("other-setting", message, fix, case.outside(*explained.get(setting.key, ())))


def _shorter_context(case: Case) -> Iterator[Reason]:
    length = case.actual.value("concurrency_len")
    if length and length != case.resolved.serving.max_model_len and not case.setting("max_model_len"):
        message = f"the engine counts requests of {length:,.0f} tokens, planned {case.resolved.serving.max_model_len:,}"
        yield Reason("context-cut", message, "set max_model_len explicitly", case.outside("max_concurrency"))


def _held_by_others(case: Case) -> Iterator[Reason]:
    free, total = case.actual.value("free"), case.actual.value("capacity")
    if free is not None and total is None and (planned := case.part("capacity")) and planned.planned:
        total = planned.planned.value
    if free is None or total is None or total - free < _HELD + case.resolved.cluster.device.used_bytes:
        return
    message = f"{human_bytes(total - free)} of {human_bytes(total)} were in use before the engine started"
    fix = "look for other processes (nvidia-smi, also in other containers), or lower gpu_memory_utilization"
    yield Reason("other-process", message, fix, case.outside(*_POOL))


def _other_card(case: Case) -> Iterator[Reason]:
    capacity = case.part("capacity")
    if capacity is None or capacity.actual is None or capacity.planned is None or capacity.state == "inside":
        return
    message = f"the device has {human_bytes(capacity.actual)}, planned {human_bytes(capacity.planned.value)}"
    fix = "compare hardware.accelerator with the driver's name; a slice, ECC or another variant of the card changes it"
    yield Reason("other-card", message, fix, case.outside(*_POOL))


def _pool_follows(case: Case) -> Iterator[Reason]:
    """The pool is what the rest leaves: a difference there that the other parts add up to."""
    missing, eaten, named = _pool_sum(case)
    if missing is None:
        return
    if named and abs(missing - eaten) < _explained_within(missing):
        message = f"the pool came out {_signed(-missing)} because of {', '.join(named)}"
        yield Reason("pool-is-the-rest", message, "", case.outside(*_POOL))
    elif abs(missing - eaten) >= _explained_within(missing) and not any(not s.same for s in case.settings):
        message = (
            f"{human_bytes(abs(missing - eaten))} {'less' if missing > eaten else 'more'} pool than the parts explain"
        )
        fix = (
            "an overhead of this version that the log does not split; verify --calibrate keeps it for later plans here"
        )
        yield Reason("version-overhead", message, fix, case.outside(*_POOL))


def _explained_within(missing: float) -> float:
    return 0.35 * abs(missing) + 0.1 * GIB


def _pool_sum(case: Case) -> tuple[float | None, float, list[str]]:
    """What the pool misses, what the printed parts took beyond the plan, and which; nothing when it is inside."""
    pool = case.part("kv_cache")
    if pool is None or pool.planned is None or pool.actual is None or pool.state == "inside":
        return None, 0.0, []
    eaten, named = 0.0, []
    for name in ("weights", "activations", "non_torch"):
        part = case.part(name)
        if part and part.planned and part.actual is not None and abs(part.actual - part.planned.value) > 0.05 * GIB:
            eaten += part.actual - part.planned.value
            named.append(f"{name.replace('_', ' ')} {_signed(part.actual - part.planned.value)}")
    return pool.planned.value - pool.actual, eaten, named


def _overheads(case: Case) -> Iterator[Reason]:
    names = case.outside("activations", "non_torch")
    if names and not any(not s.same for s in case.settings):
        message = (
            f"{' and '.join(n.replace('_', ' ') for n in names)} of this version on this card differ from the profile"
        )
        yield Reason("other-overhead", message, "verify --calibrate keeps them for later plans on this machine", names)


def _bytes_per_token(case: Case) -> Iterator[Reason]:
    pool, tokens = case.part("kv_cache"), case.part("kv_tokens")
    if not (pool and tokens and pool.actual and tokens.actual and pool.planned and tokens.planned):
        return
    if pool.planned.value <= 0 or tokens.planned.value <= 0 or case.setting("kv_cache_dtype"):
        return
    ratio = (pool.actual / tokens.actual) / (pool.planned.value / tokens.planned.value)
    for factor, what in ((0.5, "half"), (2.0, "twice")):
        if abs(ratio / factor - 1) < 0.08:
            other = "a 16-bit cache" if factor > 1 else "an FP8 cache"
            message = f"a token takes {what} the planned bytes: {other} is likely, or the version counts other groups"
            yield Reason("other-kv-dtype", message, "name serving.kv_cache_dtype", case.outside(*_POOL))


def _other_weights(case: Case) -> Iterator[Reason]:
    weights = case.part("weights")
    if weights is None or not weights.actual or weights.planned is None or weights.state == "inside":
        return
    ratio = weights.actual / max(1.0, weights.planned.value)
    if 0.97 < ratio < 1.12:
        message = (
            f"weights are {ratio - 1:+.1%} off: padding, unfused scales, a draft or vision part loaded or left out"
        )
        yield Reason("weights-nearly", message, "verify --calibrate keeps overheads, not weights", ("weights",))
        return
    message = f"weights are {ratio:.2f} times the plan: another checkpoint, format or parallelism was loaded"
    fix = f"check model.weights ({case.resolved.quantization.scheme}) and serving.tp against the start command"
    yield Reason("other-weights", message, fix, case.outside("weights", *_POOL))


def _layers(case: Case) -> Iterator[Reason]:
    placed, layers = case.actual.value("layers_on_gpu"), case.actual.value("layers")
    planned = case.resolved.serving.n_gpu_layers
    if placed is not None and layers is not None and planned is not None and min(planned, layers) != placed:
        message = f"{placed:.0f} of {layers:.0f} layers lie on GPUs, planned {min(planned, int(layers))}"
        yield Reason("other-placement", message, "pass -ngl explicitly", case.outside("weights", "kv_cache", "compute"))


def _several_starts(case: Case) -> Iterator[Reason]:
    if case.actual.starts > 1:
        yield Reason("several-starts", f"the log holds {case.actual.starts} start-ups; the last one counts")


RULES: tuple[Rule, ...] = (
    _other_engine,
    _other_version,
    _other_settings,
    _shorter_context,
    _held_by_others,
    _other_card,
    _other_weights,
    _overheads,
    _pool_follows,
    _bytes_per_token,
    _layers,
    _several_starts,
)


def _signed(size: float) -> str:
    return ("+" if size >= 0 else "−") + human_bytes(abs(size))


def _plain(value: str | float | None) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value == int(value) else f"{value:g}"
    return str(value)


def _toml(value: str | float | None) -> str:
    if isinstance(value, float):
        return f"{value:.0f}" if value == int(value) else f"{value:g}"
    return f'"{value}"'
