"""Of a fine-tuning job: the data, what must learn, how long it may take."""

from __future__ import annotations

from collections.abc import Iterator

from planner.units import human_count
from tui.inputs.kinds import Kind, Number, OneOf
from tui.needs import PRESET_FIELDS

NUMBERS = (
    Number("samples", "Samples", "", 1, 100_000_000, True,
     "examples of the dataset; empty: the tokens below say how large it is. Moves: time."),
    Number("sample_tokens", "Tokens a sample", "", 1, 1_000_000, False,
     "mean length of an example, question and answer together. Moves: time."),
    Number("tokens", "Tokens", "", 1_000, 100_000_000_000, True,
     "of the dataset, one epoch; empty: as usual for this kind of training. Moves: time, energy, cost."),
    Number("epochs", "Epochs", "", 1, 100, True, "how often the dataset is gone through. Moves: time."),
    Number("seq_len", "Sequence length", "", 128, 1_048_576, True,
     "tokens of a packed sample; longer ones cut what is too long. Moves: activations, so the peak per GPU."),
    Number("batch", "Samples a step", "", 1, 65_536, True,
     "global batch: samples of one optimizer step over all GPUs. Moves: which layouts are possible."),
    Number("rank", "Adapter rank", "", 1, 1024, True,
     "of LoRA and its kin; empty: 16. Moves: adapters, optimizer."),
    Number("hours", "Hours allowed", "h", 1, 10_000, True,
     "for the whole run; empty: no limit. Longer runs stand behind, marked with !"),
)  # fmt: skip
METHODS = (
    Kind("", "Any", "all methods, the fastest first"),
    Kind("qlora", "QLoRA", "adapters over a 4-bit base: the least memory"),
    Kind("lora", "LoRA", "adapters over 16-bit weights"),
    Kind("dora", "DoRA", "adapters and magnitudes, slower than LoRA"),
    Kind("full", "Full", "every weight learns"),
)
QUALITIES = (
    Kind("", "Any", "a 4-bit base is allowed"),
    Kind("16-bit", "16-bit base", "adapters over 16-bit weights, or every weight"),
    Kind("full", "All weights", "every weight learns"),
)
GOALS = (
    Kind("time", "Time", "the fastest run"),
    Kind("memory", "Memory", "the least memory per GPU"),
    Kind("fewest-gpus", "Fewest GPUs", "as few devices as possible"),
)
_RANK = "16"
_LONG = 10_000
"""Numbers from here on are shown in words."""


def usual(name: str, preset: str) -> str:
    """What an empty number stands for in a kind of training; empty where nothing does."""
    from planner.training.request import training_preset

    if name == "rank":
        return _RANK
    if name not in PRESET_FIELDS:
        return ""
    value = getattr(training_preset(preset), {"batch": "global_batch"}.get(name, name))
    return f"{value:.0f}" if value < _LONG else human_count(value)


def choices() -> Iterator[OneOf]:
    """What is chosen, beside the numbers."""
    yield OneOf("preset", "Kind", "a kind of training with typical data.", tuple(_presets()))
    yield OneOf("method", "Method", "what learns, and over which base. Moves: everything.", METHODS)
    yield OneOf("quality", "Quality", "what must learn at least; others are ruled out.", QUALITIES)
    yield OneOf("goal", "Goal", "what the ranking prefers.", GOALS)
    yield OneOf("trainer", "Trainer", "only this trainer; any: all that suit.", tuple(_trainers()))


def _presets() -> Iterator[Kind]:
    from planner.training.request import training_presets

    yield from (Kind(preset.name, preset.label, preset.about) for preset in training_presets().values())


def _trainers() -> Iterator[Kind]:
    from planner.training.grid import grids

    yield Kind("", "Any", "")
    yield from (Kind(name, name, "") for name in dict.fromkeys(grid.trainer for grid in grids()))
