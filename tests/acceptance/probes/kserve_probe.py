"""KServe's own model of InferenceService: unknown fields of the predictor and of its pod are refused."""

import json

import kserve.models
from answers import answer
from kserve import V1beta1InferenceService
from kubernetes.client import ApiClient, models

for name in dir(kserve.models):
    if name.startswith("V1"):
        setattr(models, name, getattr(kserve.models, name))  # where the client looks for classes


class Response:
    """What older clients take apart."""

    def __init__(self, data):
        self.data = data


def lost(given, kept, path=""):
    """Keys of a document that the model did not take."""
    if isinstance(given, dict) and isinstance(kept, dict):
        return [
            x for k, v in given.items() for x in (lost(v, kept[k], f"{path}.{k}") if k in kept else [f"{path}.{k}"])
        ]
    if isinstance(given, list) and isinstance(kept, list):
        return [x for i, (a, b) in enumerate(zip(given, kept, strict=True)) for x in lost(a, b, f"{path}[{i}]")]
    return []


def check(case):
    text = json.dumps(case["document"])
    try:
        made = ApiClient().deserialize(text, V1beta1InferenceService, "application/json")
    except TypeError:
        made = ApiClient().deserialize(Response(text), V1beta1InferenceService)
    gone = lost(case["document"], ApiClient().sanitize_for_serialization(made))
    if gone:
        raise ValueError(f"unknown to the model: {gone}")
    return {}


answer(check)
