"""JSON Schemas of every document, generated from the code: ``python -m planner.schemas`` rewrites them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

NAMES = (
    "buy", "cost", "deployment", "estimate", "explanation", "inventory", "plan", "preflight", "simulation",
    "verification",
)  # fmt: skip


def build_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of one document."""
    from pydantic import TypeAdapter

    from planner.buy_document import BuyDocument
    from planner.cost.document import CostDocument
    from planner.doctor.result import Preflight
    from planner.documents.deployment import Deployment
    from planner.documents.inventory import Inventory
    from planner.documents.result import EstimateDocument, PlanDocument
    from planner.documents.simulation import SimulationDocument
    from planner.verify.explanation import Explanation
    from planner.verify.result import Verification

    kinds: dict[str, Any] = {
        "buy": BuyDocument,
        "cost": CostDocument,
        "deployment": Deployment,
        "estimate": EstimateDocument,
        "explanation": Explanation,
        "inventory": Inventory,
        "plan": PlanDocument,
        "preflight": Preflight,
        "simulation": SimulationDocument,
        "verification": Verification,
    }
    schema = TypeAdapter(kinds[name]).json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"deploy-planner {name}", **schema}


def schema_text(name: str) -> str:
    """A schema as committed: sorted keys, two spaces, a newline at the end."""
    return json.dumps(build_schema(name), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Rewrite the committed schema files."""
    folder = Path(__file__).parent / "documents" / "json_schemas"
    folder.mkdir(exist_ok=True)
    for name in NAMES:
        (folder / f"{name}.schema.json").write_text(schema_text(name), encoding="utf-8")


if __name__ == "__main__":
    main()
