"""The command that starts an engine: program, model and flags, for one place and one node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from planner.documents.result import Finding
from planner.engines.speculation import method_name
from planner.export.emit.words import Ref, Word
from planner.export.flags.table import Flag, FlagTable, flag_table
from planner.export.node import Node

if TYPE_CHECKING:
    from planner.export.target import Context

_FAMILIES = {
    "vllm": "vllm",
    "sglang": "sglang",
    "trtllm": "trtllm",
    "llama.cpp": "llamacpp",
    "ktransformers": "ktransformers",
    "mlx": "mlx",
}
_WITHOUT_FLAGS = ("ollama", "mindie", "optimum-habana")
"""Engines that are told by files and variables."""
LOCALHOST = "127.0.0.1"
EVERYWHERE = "0.0.0.0"


class Family(Protocol):
    """What a module of ``planner.export.engines`` offers."""

    def options(self, context: Context, table: FlagTable) -> dict[str, Any]: ...
    def node_options(self, context: Context, table: FlagTable, node: Node) -> dict[str, Any]: ...
    def findings(self, context: Context) -> list[Finding]: ...
    def serving(self, read: Mapping[str, Any], experts: bool) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where the engine runs: bare on a machine, or inside a container."""

    model: Word
    host: Word
    port: Word
    key: Word | None = None
    """The API key by reference, for engines that take it as a flag."""


@dataclass(frozen=True, slots=True)
class Command:
    """One process."""

    program: tuple[str, ...]
    model_flag: str
    model: Word
    flags: tuple[Flag, ...]
    assign: bool = False
    findings: tuple[Finding, ...] = ()

    @property
    def arguments(self) -> tuple[Word, ...]:
        """Everything behind the program."""
        model: tuple[Word, ...] = (self.model_flag, self.model) if self.model_flag else (self.model,)
        return model + tuple(word for flag in self.flags for word in self.flag_words(flag))

    @property
    def words(self) -> tuple[Word, ...]:
        return self.program + self.arguments

    def flag_words(self, flag: Flag) -> tuple[Word, ...]:
        if flag.value is None:
            return (flag.name,)
        if self.assign and isinstance(flag.value, str) and flag.value.startswith("-"):
            return (f"{flag.name}={flag.value}",)
        return (flag.name, flag.value)


def family_of(name: str) -> Family | None:
    """The module of an engine family; None for engines without a command line of their own."""
    module = _FAMILIES.get(name)
    return cast(Family, import_module(f"planner.export.engines.{module}")) if module else None


def engine_replicas(context: Context) -> int:
    """Replicas that the engine keeps by itself: vLLM for dense models, SGLang without DP attention."""
    serving, engine = context.resolved.serving, context.resolved.engine
    if serving.dp == 1 or engine.family not in ("vllm", "sglang") or serving.attention_dp > 1:
        return 1
    row = flag_table(engine).rows.get("engine_dp")
    if row is None or (row.dense_only and context.resolved.architecture.has_experts):
        return 1
    fits_one_node = serving.tp * serving.pp * serving.dp <= context.resolved.cluster.per_node
    return serving.dp if fits_one_node else 1


def bare_place(context: Context, port: Word | None = None) -> Place:
    """On the machine itself."""
    return _place(context, context.location.path, context.options.listen or LOCALHOST, port)


def container_place(context: Context, host: str = EVERYWHERE, port: Word | None = None) -> Place:
    """Inside a container, where only published ports are reachable."""
    place = _place(context, context.location.inside, host, port)
    return replace(place, key=Ref(context.runtime.key_variable)) if context.runtime.key_flag else place


def _place(context: Context, model: str, host: str, port: Word | None) -> Place:
    chosen = port or str(context.options.port or context.runtime.port)
    return Place(model, host, chosen)


def command_of(context: Context, place: Place, node: Node | None = None) -> Command:
    """The command of one node. Raises BadInput for engines that nothing is known of."""
    family = family_of(context.resolved.engine.family)
    if family is None or context.resolved.engine.name in _WITHOUT_FLAGS:
        return Command(context.runtime.program, "", "", ())
    table = flag_table(context.resolved.engine)
    options = _common(context, table, place) | _normalized(family.options(context, table))
    if node is not None and context.layout.multi_node:
        options |= family.node_options(context, table, node)
    flags, findings = table.write(options)
    if place.key is not None:
        flags = (*flags, Flag("key", context.runtime.key_flag, place.key))
    program = context.runtime.program
    return Command(program, context.runtime.model_flag, place.model, flags, table.assign, findings)


def _common(context: Context, table: FlagTable, place: Place) -> dict[str, Any]:
    """What every engine is told in the same words."""
    asked = context.deployment.serving
    chosen: dict[str, Any] = {
        "served_name": context.location.served_name if table.has("served_name") else None,
        "host": place.host,
        "port": place.port,
        "quantization": quantization_flag(context) if table.has("quantization") else None,
        "remote_code": context.habits.remote_code and table.has("remote_code"),
        "tokenizer_mode": context.habits.tokenizer_mode if table.has("tokenizer_mode") else None,
    }
    if context.resolved.engine.family != "llama.cpp" and table.has("kv_cache_dtype"):
        chosen["kv_cache_dtype"] = kv_word(context, table)
        chosen["block_size"] = asked.block_size if asked else None
    return chosen


def _normalized(options: dict[str, Any]) -> dict[str, Any]:
    method = options.get("speculative_method")
    return {**options, "speculative_method": method_name(method)} if method else options


def kv_word(context: Context, table: FlagTable) -> str | None:
    """The format of the KV cache as asked for; None (auto) where it is the model's own and has no word."""
    asked = context.deployment.serving
    kind = asked.kv_cache_dtype if asked else "auto"
    row = table.rows.get("kv_cache_dtype")
    if kind == "auto" or (row is None and kind == context.resolved.architecture.dtype):
        return None
    if row is not None and kind not in row.values and kind == context.resolved.architecture.dtype:
        return None
    return kind


def quantization_flag(context: Context) -> str | None:
    """The engine's word for formats that it does not find out from the checkpoint."""
    words = context.runtime.facts.get("quantization", {})
    word: str | None = words.get(context.deployment.model.weights or "")
    return word


def serving_findings(context: Context) -> tuple[Finding, ...]:
    """Everything that the engine at this version, or its command line, cannot express."""
    family = family_of(context.resolved.engine.family)
    if family is None or context.resolved.engine.name in _WITHOUT_FLAGS:
        return ()
    command = command_of(context, bare_place(context))
    return (*family.findings(context), *command.findings, *_weights_note(context))


def _weights_note(context: Context) -> tuple[Finding, ...]:
    """The files must hold the planned format: a repack, where the model is not published in it."""
    model, planned = context.deployment.model, context.resolved.quantization.scheme
    own = context.resolved.architecture.quantization
    published = own.scheme if own else "none"
    if planned == published or model.checkpoint or model.path or context.options.model_path:
        return ()
    message = (
        f"the plan counts on {model.weights or planned} weights; {context.location.repository} is published otherwise"
    )
    fix = "name the repack in model.checkpoint, and its directory with --model-path"
    return (Finding("export-weights", message, fix, severity="warning"),)
