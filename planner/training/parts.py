"""Parts of a training step's memory as letters, for bars of the command and the app."""

from __future__ import annotations

LETTERS = {
    "weights": "W",
    "reference": "W",
    "adapters": "T",
    "optimizer": "O",
    "gradients": "G",
    "temporaries": "G",
    "buckets": "G",
    "gathered": "F",
    "layer_gradients": "F",
    "activations": "A",
    "layer": "A",
    "logits": "L",
    "rollout": "R",
}
"""Part of a step's memory → its letter in the bar."""
NAMES = {
    "W": "weights", "T": "adapters", "O": "optimizer", "G": "gradients", "F": "gathered", "A": "activations",
    "L": "logits", "R": "rollouts",
}  # fmt: skip
"""What the letters mean."""
KEY = "  ".join(f"{letter} {name}" for letter, name in NAMES.items()) + "  · free"
