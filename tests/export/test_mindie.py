"""MindIE's configuration: the plan's keys lie over the installation's own, and nothing of it is lost."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planner.export.registry import render
from planner.export.target import Context
from tests.export.deployments import shape

OWN = {
    "Version": "1.0.0",
    "ServerConfig": {"ipAddress": "0.0.0.0", "port": 1, "httpsEnabled": True, "maxLinkNum": 1000},
    "BackendConfig": {
        "backendName": "x",
        "tokenizerProcessNumber": 8,
        "npuDeviceIds": [[0, 1, 2, 3]],
        "ModelDeployConfig": {
            "maxSeqLen": 2560,
            "ModelConfig": [{"modelName": "llama_65b", "plugin_params": "", "worldSize": 4}],
        },
        "ScheduleConfig": {"templateType": "Standard", "cacheBlockSize": 128, "maxBatchSize": 200},
    },
}
"""In short, what an installation brings."""


def started(files: dict[str, str], script: str, folder: Path) -> dict[str, Any]:
    """The configuration that the daemon would be given, by a daemon that prints it."""
    home = folder / "mindie service"
    (home / "conf").mkdir(parents=True)
    (home / "bin").mkdir()
    (home / "conf" / "config.json").write_text(json.dumps(OWN))
    daemon = home / "bin" / "mindieservice_daemon"
    daemon.write_text('#!/bin/bash\ncat "$MIES_CONFIG_JSON_PATH"\n')
    daemon.chmod(0o755)
    for name, text in files.items():
        (folder / name).write_text(text)
    env = {"PATH": os.environ["PATH"], "MIES_INSTALL_PATH": str(home)}
    done = subprocess.run(["bash", script], cwd=folder, env=env, capture_output=True, text=True, check=True, timeout=30)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_the_plan_lies_over_what_the_installation_brings(tmp_path: Path) -> None:
    found = started(render("mindie", shape("mindie")), "serve.sh", tmp_path)
    backend = found["BackendConfig"]
    (model,) = backend["ModelDeployConfig"]["ModelConfig"]
    assert found["Version"] == "1.0.0" and found["ServerConfig"]["maxLinkNum"] == 1000
    assert found["ServerConfig"]["ipAddress"] == "127.0.0.1" and found["ServerConfig"]["httpsEnabled"] is False
    assert backend["tokenizerProcessNumber"] == 8 and backend["ScheduleConfig"]["cacheBlockSize"] == 128
    assert backend["npuDeviceIds"] == [list(range(16))] and model["worldSize"] == 16
    assert (model["tp"], model["dp"], model["moe_ep"], model["moe_tp"]) == (4, 4, 16, 1)
    assert model["plugin_params"] == "" and model["modelWeightPath"] == "/models/DeepSeek-R1"
    assert backend["ModelDeployConfig"]["maxSeqLen"] == 8192


def test_replicas_have_devices_and_ports_of_their_own() -> None:
    files = render("mindie", shape("mindie-replicas"))
    plans = [json.loads(files[f"plan-{i}.json"]) for i in range(2)]
    assert [p["BackendConfig"]["npuDeviceIds"] for p in plans] == [[[0, 1, 2, 3]], [[4, 5, 6, 7]]]
    ports = [
        port
        for p in plans
        for key, port in p["ServerConfig"].items()
        if key.lower().endswith("port") and key != "openAiSupport"
    ]
    assert len(ports) == len(set(ports)) == 6


@pytest.mark.parametrize("name", ["$(touch PWNED)", "a'b\"c", "EOF", "模型 x"])
def test_hostile_names_stay_data(name: str, tmp_path: Path) -> None:
    base = shape("mindie")
    options = replace(base.options, served_name=name, model_path=f"/models/{name}")
    exported = Context(base.deployment, base.resolved, base.estimate, options)
    found = started(render("mindie", exported), "serve.sh", tmp_path)
    (model,) = found["BackendConfig"]["ModelDeployConfig"]["ModelConfig"]
    assert model["modelName"] == name and model["modelWeightPath"] == f"/models/{name}"
    assert not list(tmp_path.rglob("PWNED*"))
