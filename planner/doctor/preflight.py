"""All checks, in the order in which an operator would look."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from planner.doctor import device_checks, driver_checks, host_checks
from planner.doctor.facts import Facts
from planner.doctor.result import Check, Preflight
from planner.doctor.wants import Wants

Rule = Callable[[Facts, Wants], Iterator[Check]]
RULES: tuple[Rule, ...] = (
    driver_checks.devices,
    driver_checks.driver_cuda,
    driver_checks.driver_module,
    driver_checks.compat_libraries,
    driver_checks.fabric_manager,
    driver_checks.container_toolkit,
    driver_checks.kernel_drivers,
    device_checks.free_memory,
    device_checks.ecc,
    device_checks.power,
    host_checks.shared_memory,
    host_checks.limits,
    host_checks.iommu,
    host_checks.acs,
    host_checks.numa,
    host_checks.ram,
    host_checks.swap,
    host_checks.disk,
    host_checks.network,
    device_checks.noticed,
)


def preflight(facts: Facts, wants: Wants | None = None) -> Preflight:
    """Every check of a machine; ``wants`` is what a deployment asks of it."""
    asked = wants or Wants()
    return Preflight(tuple(check for rule in RULES for check in rule(facts, asked)), asked.name)
