"""What layers with a state of fixed size keep of a request."""

from __future__ import annotations

from planner.models.architecture import Cache, Recurrent
from planner.models.config_keys import Keys

BYTES = {"float32": 4.0, "float16": 2.0, "bfloat16": 2.0, "fp32": 4.0, "fp16": 2.0, "bf16": 2.0}


def state_caches(keys: Keys, mixer: Recurrent, *, dtype: str = "", conv_heads: int | None = None) -> tuple[Cache, ...]:
    """The recurrent state (in the config's dtype for it, else ``dtype``, else the model's) and the conv window."""
    named = keys.text("state_dtype", dtype) or keys.text("dtype", "bfloat16")
    caches = []
    if mixer.state_elements:
        state_bytes = BYTES.get(named.removeprefix("torch."), 2.0)
        caches.append(Cache("state", mixer.state_elements, mixer.num_heads, element_bytes=state_bytes))
    if mixer.conv_elements:
        heads = mixer.num_heads if conv_heads is None else conv_heads
        conv_bytes = BYTES.get(keys.text("dtype", "bfloat16").removeprefix("torch."), 2.0)
        caches.append(Cache("state", mixer.conv_elements, heads, element_bytes=conv_bytes))
    return tuple(caches)
