"""Of serving, and of what to buy for: load, lengths, promises, and what is allowed."""

from __future__ import annotations

from collections.abc import Iterator

from tui.inputs.kinds import Kind, Number, OneOf

NUMBERS = (
    Number("users", "Users at once", "", 1, 10_000, True,
     "requests in flight at the same time, not accounts; empty: usual for this hardware. Chat products see 1 in flight "
     "for 10-30 signed-in people. Moves: KV cache, per token."),
    Number("rate", "Requests/minute", "", 1, 600_000, False,
     "requests that arrive in a minute; how many are in flight follows from how long each takes. Moves: per token."),
    Number("isl", "Prompt tokens", "", 1, 1_000_000, False,
     "mean input length (ISL), history and retrieved text included. Moves: first token, KV cache."),
    Number("osl", "Answer tokens", "", 1, 200_000, False,
     "mean output length (OSL); reasoning models write 5,000-20,000. Moves: KV cache, request time."),
    Number("images", "Images a request", "", 1, 1_000, True,
     "pictures beside the text of each request; empty: text alone. Only models with a vision tower take them. "
     "Moves: which models fit, first token, KV cache."),
    Number("image_tokens", "Tokens an image", "", 1, 100_000, True,
     "of one image in the prompt; empty: the model's own number, else 1,024. Where tokens follow from the size: "
     "28×28 pixels each, about 1,300 a megapixel, 2,600 a full-HD screen. Moves: first token, KV cache."),
    Number("max_model_len", "Longest request", "", 256, 10_000_000, True,
     "prompt and answer together that must be possible; empty: as long as fits, up to 32k. Moves: which plans fit."),
    Number("prefix_percent", "Shared prefix", "%", 0, 99, False,
     "share of prompt tokens that are found in the prefix cache. Moves: first token."),
    Number("ttft_ms", "First token in", "ms", 10, 120_000, True,
     "what users were promised until the first token (TTFT); empty: no promise. Moves: the ranking."),
    Number("tpot_ms", "Per token in", "ms", 1, 10_000, True,
     "what users were promised between tokens (TPOT); 50 ms reads as fluent; empty: no promise. Moves: the ranking."),
)  # fmt: skip
LOADS = (
    Kind("users", "Users", "a number of requests in flight at once"),
    Kind("rate", "Rate", "requests that arrive per minute"),
    Kind("full", "As much as fits", "offline work: as many requests in flight as the memory holds"),
)
GOALS = (
    Kind("balanced", "Balanced", "speed, throughput and context together"),
    Kind("latency", "Latency", "the fastest answer for one user"),
    Kind("throughput", "Throughput", "the most tokens per second in total"),
    Kind("users", "Users", "the most users at once"),
    Kind("context", "Context", "the longest requests"),
    Kind("fewest-gpus", "Fewest GPUs", "keep the promises with as few devices as possible"),
)
FORMATS = ("bf16", "fp8", "nvfp4", "mxfp4", "w8a8-int8", "awq-int4", "gptq-int4", "gguf")
"""Of weights, as files name them."""
KV_CACHES = ("fp8", "bf16")
_ANY = Kind("", "Any")
_CACHE_ABOUT = (
    "format of the cache of keys and values; any: the engine's own, a smaller one only where nothing else fits. "
    "8 bits hold twice the users; most models lose little by it. Moves: KV cache, room, per token."
)


def choices() -> Iterator[OneOf]:
    """What is chosen, beside the preset and the numbers."""
    yield OneOf("load", "Load", "how the load is stated.", LOADS)
    yield OneOf("goal", "Goal", "what the ranking prefers when several plans keep the promises.", GOALS)
    about = "the lowest precision of weights that is acceptable; a model's own published format always is."
    yield OneOf("quality_floor", "Quality floor", about, tuple(_floors()))
    about = "only this serving engine; any: those that are usual on this chip."
    yield OneOf("engine", "Engine", about, tuple(_engines()))
    about = "only this weight format; any: all that are published, from the quality floor up."
    yield OneOf("weights", "Weights", about, (_ANY, *(Kind(name, name) for name in FORMATS)))
    yield OneOf("kv_cache", "KV cache", _CACHE_ABOUT, (_ANY, *(Kind(name, name) for name in KV_CACHES)))


def _floors() -> Iterator[Kind]:
    from planner.models.quality import levels

    yield Kind("", "Default", "int4: published evaluations keep 97-99 % of the scores")
    yield from (Kind(level, level) for level in reversed(levels()))


def _engines() -> Iterator[Kind]:
    from planner.engines.registry import engines

    yield _ANY
    yield from (Kind(name, name) for name in engines())
