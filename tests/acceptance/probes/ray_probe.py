"""Ray's own schema of Serve configurations, and of its LLM configurations where that part is installed."""

from answers import answer
from ray.serve.schema import ServeDeploySchema


def check(case):
    read = getattr(ServeDeploySchema, "model_validate", None) or ServeDeploySchema.parse_obj
    read(case["document"])
    return {}


answer(check)
