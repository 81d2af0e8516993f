"""Files that start a deployment, all rendered from the deployment document."""

TARGETS = {"toml": "the deployment document with its estimate and provenance; read back by the planner itself"}
"""Target → what it is and what checked it."""
