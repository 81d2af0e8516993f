"""How a deployment is laid over devices, reduced to what decides the bytes of one rank."""

from __future__ import annotations

from dataclasses import dataclass

from planner.engines.speculation import own_layers
from planner.resolved import Serving


@dataclass(frozen=True, slots=True)
class Layout:
    """Ranks of one replica: ``tp · attention_dp · pp`` devices."""

    tp: int = 1
    pp: int = 1
    ep: int = 1
    attention_dp: int = 1
    mtp: bool = False
    """Multi-token-prediction layers are loaded for speculation."""
    lora_rank: int = 0
    lora_adapters: int = 0

    @property
    def world(self) -> int:
        """Ranks of one pipeline stage: what experts are spread over."""
        return self.tp * self.attention_dp

    @property
    def expert_tp(self) -> int:
        """Ranks that share one expert's intermediate size."""
        return max(1, self.world // self.ep)


def layout_of(serving: Serving, num_layers: int) -> Layout:
    """The layout of one replica. The model's own prediction layers are loaded where no draft proposes.

    More stages than layers are no layout (and illegal); memory is then that of one layer a stage.
    """
    speculative = serving.speculative
    own = speculative is not None and own_layers(speculative.method, speculative.draft)
    return Layout(
        tp=serving.tp,
        pp=max(1, min(serving.pp, num_layers)),
        ep=serving.ep,
        attention_dp=serving.attention_dp,
        mtp=own,
        lora_rank=serving.lora_rank,
        lora_adapters=serving.lora_adapters,
    )


def stage_sizes(num_layers: int, pp: int) -> tuple[int, ...]:
    """Layers of each pipeline stage; what is left over goes to the stages before the last (vLLM ``get_pp_indices``).

    >>> stage_sizes(61, 4)
    (15, 15, 16, 15)
    """
    sizes = [num_layers // pp] * pp
    left = num_layers % pp
    if pp == 1 or left == 0:
        return tuple(sizes)
    for back in range(left):
        sizes[-2 - back if 2 + back <= pp else 0] += 1
    return tuple(sizes)
