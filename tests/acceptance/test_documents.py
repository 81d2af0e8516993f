"""Kubernetes, LeaderWorkerSet, KServe, Ray and Compose read the exported documents."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from compose_spec import PyCompose
from kubernetes_validate import utils

from planner.export.registry import render
from tests.acceptance.cases import OPERATOR, rendered
from tests.acceptance.environments import environment
from tests.acceptance.outcomes import accepted, need, program
from tests.acceptance.run_probe import ask
from tests.export.deployments import shape

CRD = Path(__file__).parents[1] / "fixtures" / "leaderworkerset-crd.yaml"
KUBERNETES = ("1.28", "1.37")
OWN_KINDS = {"LeaderWorkerSet", "InferenceService"}
LOAD = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
utils.schema_contents = cache(utils.schema_contents)  # otherwise read anew for each object
A_FEW = ("vllm-r1", "vllm-wide", "vllm-amd", "ascend-one", "gaudi", "trtllm", "llama-cpu", "ollama")


def documents(files: dict[str, str]) -> list[dict[str, Any]]:
    return [d for name, text in files.items() if name.endswith(".yaml") for d in yaml.load_all(text, Loader=LOAD)]


def strict(schema: Any) -> Any:
    """The schema as the API server applies it with strict field validation: unknown fields are errors."""
    if isinstance(schema, dict):
        closed = {k: strict(v) for k, v in schema.items()}
        if "properties" in closed and "x-kubernetes-preserve-unknown-fields" not in closed:
            closed.setdefault("additionalProperties", False)
        return closed
    return [strict(item) for item in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_takes_the_objects(version: str) -> None:
    seen = 0
    for kind in ("kubernetes", "lws", "kserve"):
        for name, files in rendered(kind):
            for document in documents(files):
                if document["kind"] not in OWN_KINDS:
                    kubernetes_validate.validate(document, version, strict=True)
                    seen += 1
            assert files, name
    accepted(f"kubernetes {version}", seen, "objects against the API's own schemas, strict")


def test_kubernetes_would_refuse_a_misspelt_field() -> None:
    (document,) = [d for d in documents(render("kubernetes", shape("vllm-r1"))) if d["kind"] == "Deployment"]
    document["spec"]["template"]["spec"]["contaners"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, KUBERNETES[-1], strict=True)


def test_pods_of_other_resources_are_pods() -> None:
    """What LeaderWorkerSet and KServe pass on is read as a pod."""
    seen = 0
    for kind in ("lws", "kserve"):
        for name, files in rendered(kind):
            for document in documents(files):
                for spec in pod_specs(document):
                    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}
                    kubernetes_validate.validate(pod, KUBERNETES[-1], strict=True)
                    seen += 1
            assert files, name
    accepted("kubernetes pods", seen, "pods inside LeaderWorkerSet and InferenceService")


def pod_specs(document: dict[str, Any]) -> list[dict[str, Any]]:
    spec = document["spec"] if document["kind"] in OWN_KINDS else {}
    if "predictor" in spec:
        own = {"minReplicas", "maxReplicas", "workerSpec", "model", "timeout"}
        return [{k: v for k, v in spec["predictor"].items() if k not in own}]
    group = spec.get("leaderWorkerTemplate", {})
    return [group[k]["spec"] for k in ("leaderTemplate", "workerTemplate") if k in group]


def crd_validator() -> jsonschema.Draft202012Validator:
    definition = yaml.load(CRD.read_text(encoding="utf-8"), Loader=LOAD)
    version = next(v for v in definition["spec"]["versions"] if v["name"] == "v1")
    schema = strict(version["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {"type": "object"}
    return jsonschema.Draft202012Validator(schema)


def test_leader_worker_sets_satisfy_the_resource_definition() -> None:
    validator, seen = crd_validator(), 0
    for name, files in rendered("lws"):
        document = yaml.load(files["leaderworkerset.yaml"], Loader=LOAD)
        assert not [e.message[:300] for e in validator.iter_errors(document)], name
        seen += 1
    document["spec"]["leaderWorkerTemplate"]["workerTemplate"]["spec"]["contaners"] = []
    assert list(validator.iter_errors(document))
    accepted("LeaderWorkerSet 0.10", seen, "sets against the resource definition, unknown fields refused")


def compose_files() -> Iterator[tuple[str, dict[str, str], str]]:
    """(name, its bundle's files, one compose file)."""
    for name, files in rendered("docker-compose"):
        yield from ((name, files, text) for path, text in files.items() if path.startswith("compose"))


def interpolated(text: str) -> str:
    """The variables filled in, as Compose does before it reads a file."""
    return re.sub(r"\$\{(\w+)[^}]*\}", lambda m: OPERATOR[m[1]], text).replace("$$", "$")


def test_compose_files_are_read_by_the_specification() -> None:
    seen = 0
    for name, _, text in compose_files():
        read = PyCompose.from_yaml(interpolated(text))
        assert len(read.service_names()) == len(yaml.load(text, Loader=LOAD)["services"]), name
        seen += 1
    with pytest.raises(ValueError, match="imaje"):
        PyCompose.from_yaml(interpolated(text).replace("image:", "imaje:", 1))
    accepted("compose-spec", seen, "compose files")


def test_docker_compose_reads_the_files(tmp_path: Path) -> None:
    """docker-compose 1.29 knows no project name in the file; everything else is the same. A second each: a few."""
    tool, seen = program("docker-compose", "docker-compose"), 0
    for name, files, text in (found for found in compose_files() if found[0] in A_FEW):
        folder = tmp_path / str(seen)
        for path, other in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(other)
        (folder / "file.yaml").write_text("\n".join(x for x in text.splitlines() if not x.startswith("name: ")))
        command, env = [tool, "-f", "file.yaml", "config", "-q"], {**os.environ, **OPERATOR}
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (name, done.stderr[:1000])
        seen += 1
    accepted("docker-compose", seen, "compose files (docker-compose config)")


def test_ray_takes_the_configurations() -> None:
    ray = environment("ray")
    need(ray)
    cases = [(name, yaml.safe_load(files["config.yaml"])) for name, files in rendered("ray-serve")]
    answers = ask(ray, [{"document": document} for _, document in cases])
    assert not [(name, a["error"]) for (name, _), a in zip(cases, answers, strict=True) if not a["ok"]]
    accepted("ray", len(cases), "Serve configurations (ServeDeploySchema)")


def test_kserve_takes_the_services() -> None:
    kserve = environment("kserve")
    need(kserve)
    cases = [(name, yaml.safe_load(files["inferenceservice.yaml"])) for name, files in rendered("kserve")]
    broken = {**cases[0][1], "spec": {**cases[0][1]["spec"], "predictr": {}}}
    *answers, last = ask(kserve, [{"document": document} for document in (*(d for _, d in cases), broken)])
    assert not [(name, a["error"]) for (name, _), a in zip(cases, answers, strict=True) if not a["ok"]]
    assert not last["ok"]
    accepted("kserve", len(cases), "InferenceServices, unknown fields refused")
