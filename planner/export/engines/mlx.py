"""mlx-lm's server on Apple silicon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from planner.documents.result import Finding
from planner.export.node import Node

if TYPE_CHECKING:
    from planner.export.flags.table import FlagTable
    from planner.export.target import Context


def options(context: Context, table: FlagTable) -> dict[str, Any]:
    """mlx_lm.server takes a model and little else."""
    spec = context.resolved.serving.speculative
    return {"speculative_draft": spec.draft, "speculative_tokens": spec.tokens} if spec else {}


def node_options(context: Context, table: FlagTable, node: Node) -> dict[str, Any]:
    """One machine."""
    return {}


def findings(context: Context) -> list[Finding]:
    """Limits that it cannot be given."""
    message = "mlx_lm.server has no option for the context limit or the number of sequences"
    return [Finding("export-option-missing", message, "bound the requests in front of it", severity="warning")]


def serving(read: Mapping[str, Any], experts: bool) -> dict[str, Any]:
    """Nothing of the serving table is in its flags."""
    return {}
