"""Every accelerator of the database × every engine × every target: no word of another vendor."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from planner.errors import BadInput
from planner.export.bundle import target_files
from planner.export.platforms import platform_id, platforms
from planner.export.registry import MODULES, render, target
from planner.export.target import Context, Options, unsuitable
from tests.export.deployments import IMAGE, context, library, shape, tables
from tests.export.vendors import FOREIGN, foreign_words

OPTIONS = {"image": IMAGE, "interface": "bond0", "ib_devices": "mlx5_0", "power_limit_w": 300.0}
ENGINES = {
    "vllm": ("0.19.0", "bf16"), "vllm-ascend": ("0.18.0", "bf16"), "vllm-gaudi": ("0.19.0", "bf16"),
    "sglang": ("0.5.12", "bf16"), "trtllm": ("1.2.0", "bf16"), "llama.cpp": ("b9000", "gguf:Q4_K_M"),
    "ollama": ("0.12.0", "gguf:Q4_K_M"), "mlx": ("0.30.0", "bf16"), "mindie": ("2.0.0", "bf16"),
    "ktransformers": ("0.5.0", "bf16"),
}  # fmt: skip
LEAST = {"ollama": 500, "vllm-ascend": 40, "vllm-gaudi": 10, "mlx": 20, "mindie": 15, "trtllm": 500}
"""Renderings of engines that exist for one vendor."""
CONTAINERS = ("docker-compose", "docker-run", "slurm", "kubernetes")
CHIPS = [row.id for row in library().database.accelerators()]


@cache
def base(engine: str) -> Context:
    """One deployment that is estimated once; the chip is exchanged below."""
    version, weights = ENGINES[engine]
    hardware = "2x8xh100-sxm-80gb" if engine in ("vllm", "sglang", "vllm-ascend") else "8xh100-sxm-80gb"
    layout = {"tp": 16} if hardware.startswith("2x") else {}
    return context(
        tables("Qwen/Qwen3-8B", weights, hardware, (engine, version), max_model_len=8192, **layout), **OPTIONS
    )


def on(chip: str, engine: str) -> Context:
    found = base(engine)
    row = library().database.accelerator(chip)
    cluster = found.resolved.cluster
    resolved = replace(found.resolved, cluster=replace(cluster, device=replace(cluster.device, accelerator=row)))
    return Context(found.deployment, resolved, found.estimate, Options(**OPTIONS))


@pytest.mark.parametrize("engine", ENGINES)
def test_no_chip_is_given_words_of_another_vendor(engine: str) -> None:
    rendered = 0
    for chip in CHIPS:
        exported = on(chip, engine)
        platform = platform_id(exported.resolved)
        for name in MODULES:
            if target(name).job != "serving" or unsuitable(target(name), exported) is not None:
                continue
            try:
                files = target_files(exported, name)
            except BadInput as error:
                assert platform not in platforms(), (chip, name, str(error))
                continue
            assert not foreign_words(platform, files), (chip, name, foreign_words(platform, files))
            rendered += 1
    assert rendered >= LEAST.get(engine, 5 * len(CHIPS))


def test_the_words_are_found_where_they_belong() -> None:
    """Each vendor's words do occur in its own files: the search is awake."""
    for chip, engine, vendor in (
        ("h100-sxm-80gb", "vllm", "nvidia"), ("mi300x", "vllm", "amd"), ("gaudi-3", "vllm-gaudi", "gaudi"),
        ("ascend-910b2", "vllm-ascend", "ascend"), ("arc-pro-b60-24gb", "llama.cpp", "intel"),
    ):  # fmt: skip
        exported = on(chip, engine)
        kinds = [
            k for k in ("docker-compose", "docker-run", "slurm", "kubernetes") if not unsuitable(target(k), exported)
        ]
        text = "\n".join(t for kind in kinds for t in target_files(exported, kind).values())
        assert any(word in text for word in FOREIGN[vendor]), vendor


def test_software_of_the_vendor_is_set_up_on_the_machine_itself() -> None:
    """CANN and SynapseAI set their variables by scripts; device files of Ascend have a group of their own."""
    ascend, gaudi, nvidia = shape("ascend-one"), shape("gaudi"), shape("vllm-r1")
    for exported, file in (
        (ascend, "/usr/local/Ascend/ascend-toolkit/set_env.sh"),
        (gaudi, "/etc/profile.d/habanalabs.sh"),
    ):
        serve = render("vllm", exported)["serve.sh"]
        assert file in serve and serve.index(file) < serve.index("exec vllm serve")
        assert file in render("slurm", exported)["job.sbatch"]
        assert file not in render("docker-compose", exported)["compose.yaml"], "images bring theirs"
    units = render("systemd", ascend)
    assert "SupplementaryGroups=HwHiAiUser" in next(t for n, t in units.items() if n.endswith(".service"))
    assert "--groups HwHiAiUser" in units["install.sh"]
    assert "set_env" not in render("vllm", nvidia)["serve.sh"]
