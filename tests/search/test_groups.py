"""An inventory as groups of equal devices."""

from __future__ import annotations

from dataclasses import replace

from planner.documents.inventory import GpuDevice, HostInfo, Inventory, MigSlice, Node
from planner.search.groups import groups_of, hardware_table
from planner.units import GIB
from tests.search.build import hardware, small_machine


def card(index: int, name: str = "h100-sxm-80gb", total: float = 80, used: float = 0.5, **keys: object) -> GpuDevice:
    device = GpuDevice(
        index, "nvidia", name, name, "exact",
        total_bytes=int(total * GIB), used_bytes=int(used * GIB), free_bytes=int((total - used) * GIB),
    )  # fmt: skip
    return replace(device, **keys)  # type: ignore[arg-type]


def inventory(*devices: GpuDevice, count: int = 1, fabric: str | None = None) -> Inventory:
    return Inventory(nodes=(Node(devices=devices, count=count),), fabric=fabric)


def test_equal_cards_form_one_group() -> None:
    (group,), findings = groups_of(hardware("8xH200-SXM"))
    assert (group.per_node, group.nodes, group.accelerator, findings) == (8, 1, "h200-sxm-141gb", ())


def test_mixed_cards_never_share_a_group_and_that_is_said() -> None:
    groups, findings = groups_of(inventory(card(0), card(1), card(2, "rtx-4090", 24)))
    assert [(g.accelerator, g.per_node) for g in groups] == [("h100-sxm-80gb", 2), ("rtx-4090", 1)]
    assert [f.rule for f in findings] == ["mixed-cards"] and "rtx-4090" in findings[0].message


def test_a_modified_card_with_more_memory_is_another_kind() -> None:
    groups, _ = groups_of(inventory(card(0, "rtx-4090", 24), card(1, "rtx-4090", 48)))
    assert sorted(round((g.total_bytes or 0) / GIB) for g in groups) == [24, 48]


def test_slices_are_devices_of_their_own_size() -> None:
    slices = tuple(MigSlice("3g.40gb", total_bytes=int(39.5 * GIB), used_bytes=0) for _ in range(2))
    (group,), _ = groups_of(inventory(card(0, mig_enabled=True, slices=slices)))
    table = hardware_table(group, 80 * GIB, 1, 2)
    assert (group.per_node, group.slice) == (2, "3g.40gb")
    assert (table.slice, table.memory_bytes) == ("3g.40gb", int(39.5 * GIB))


def test_busy_cards_are_set_apart_from_idle_ones() -> None:
    groups, _ = groups_of(inventory(card(0), card(1), card(2, used=60), card(3)))
    assert [(g.per_node, round((g.free_bytes or 0) / GIB)) for g in groups] == [(4, 20), (3, 80)]


def test_cards_that_cannot_be_used() -> None:
    groups, findings = groups_of(
        inventory(
            card(0),
            card(1, error="fell off the bus"),
            card(2, visible=False),
            card(3, accelerator=None, match="unknown", nearest=(("h100-sxm-80gb", 0.2),)),
        )
    )
    assert groups[0].per_node == 1
    assert {f.rule for f in findings} >= {"device-unusable", "device-hidden", "device-unknown"}


def test_nodes_of_different_size_share_what_they_have_in_common() -> None:
    nodes = (Node(devices=tuple(card(i) for i in range(8))), Node(devices=tuple(card(i) for i in range(4))))
    groups, _ = groups_of(Inventory(nodes=nodes))
    assert [(g.per_node, g.nodes) for g in groups] == [(8, 1), (4, 2)]


def test_no_accelerator_means_the_processor_with_what_is_free() -> None:
    (group,), _ = groups_of(small_machine(16))
    assert group.is_cpu and group.free_bytes == int(int(16 * GIB) * 0.95)
    limited = Inventory(nodes=(Node(host=HostInfo(ram_bytes=64 * GIB, memory_limit_bytes=8 * GIB)),))
    (group,), _ = groups_of(limited)
    assert group.free_bytes == 8 * GIB


def test_withheld_memory_is_no_memory_and_no_crash() -> None:
    unified = card(0, "gb10", unified_memory=True, total_bytes=None, used_bytes=None, free_bytes=None)
    (group,), _ = groups_of(inventory(unified))
    assert (group.total_bytes, group.free_bytes, group.unified) == (None, None, True)
