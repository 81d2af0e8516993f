"""What real drivers report leads to the right row, or to an honest "ambiguous" or "unknown"."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwdb.database import Database
from hwdb.units import GIB, MIB

DATABASE = Database()

# driver string, memory in MiB, PCI id → row
EXACT = [
    ("NVIDIA GeForce RTX 4090", 24564, "2684", "rtx-4090"),
    ("NVIDIA GeForce RTX 4090", 49140, "2684", "rtx-4090-48gb"),
    ("NVIDIA GeForce RTX 4090", 49140, None, "rtx-4090-48gb"),
    ("NVIDIA GeForce RTX 4090 D", 24564, "2685", "rtx-4090-d"),
    ("NVIDIA GeForce RTX 4060 Ti", 8188, "2803", "rtx-4060-ti-8gb"),
    ("NVIDIA GeForce RTX 4060 Ti", 16380, "2805", "rtx-4060-ti-16gb"),
    ("NVIDIA GeForce RTX 5060 Ti", 8151, "2d04", "rtx-5060-ti-8gb"),
    ("NVIDIA GeForce RTX 5060 Ti", 16311, "2d04", "rtx-5060-ti-16gb"),
    ("NVIDIA GeForce RTX 2060", 6144, "1f08", "rtx-2060"),
    ("NVIDIA GeForce RTX 2060", 12288, None, "rtx-2060-12gb"),
    ("NVIDIA GeForce RTX 3080", 10240, "2206", "rtx-3080"),
    ("NVIDIA GeForce RTX 3080", 12288, "220A", "rtx-3080-12gb"),
    ("NVIDIA H20", 97871, "2329", "h20-96gb"),
    ("NVIDIA H20-3e", 143771, "232c", "h20-3e-141gb"),
    ("NVIDIA H200", 143771, "0x233510DE", "h200-sxm-141gb"),
    ("NVIDIA H200 NVL", 143771, "10DE:233B", "h200-nvl-141gb"),
    ("NVIDIA H100 80GB HBM3", 81559, "2330", "h100-sxm-80gb"),
    ("NVIDIA H100 PCIe", 81559, "2331", "h100-pcie-80gb"),
    ("NVIDIA H100 NVL", 95830, "2321", "h100-nvl-94gb"),
    ("NVIDIA H800", 81559, None, "h800-sxm-80gb"),
    ("NVIDIA GH200 480GB", 97871, "2342", "gh200-96gb"),
    ("NVIDIA GH200 144G HBM3e", 143771, "2348", "gh200-144gb-hbm3e"),
    ("NVIDIA GB10", 0, "2e12", "gb10"),
    ("NVIDIA GB10", None, None, "gb10"),
    ("NVIDIA GB10", 122_571, None, "gb10"),
    ("NVIDIA A100-SXM4-40GB", 40960, "20b0", "a100-sxm-40gb"),
    ("NVIDIA A100-SXM4-40GB", 40536, "20b0", "a100-sxm-40gb"),
    ("NVIDIA A100-SXM4-80GB", 81920, "20b2", "a100-sxm-80gb"),
    ("NVIDIA A100 80GB PCIe", 81920, "20b5", "a100-pcie-80gb"),
    ("NVIDIA A100-PCIE-40GB", 40960, "20f1", "a100-pcie-40gb"),
    ("Tesla T4", 15360, "1eb8", "t4"),
    ("Tesla T4", 15109, None, "t4"),
    ("Tesla T4", 16280, None, "t4"),
    ("Tesla V100-SXM2-16GB", 16160, "1db1", "v100-sxm-16gb"),
    ("NVIDIA A10", 22731, None, "a10"),
    ("NVIDIA A10G", 23028, "2237", "a10g"),
    ("NVIDIA A2", 15356, "25b6", "a2"),
    ("NVIDIA A16", 15356, "25b6", "a16"),
    ("NVIDIA L4", 23034, "27b8", "l4"),
    ("NVIDIA L40S", 46068, "26b9", "l40s"),
    ("NVIDIA L40S", 49140, "26b9", "l40s"),
    ("NVIDIA RTX A6000", 46068, "2230", "rtx-a6000"),
    ("NVIDIA RTX A6000", 49140, "2230", "rtx-a6000"),
    ("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", 97887, "2bb1", "rtx-pro-6000-blackwell-workstation"),
    ("NVIDIA RTX PRO 6000 Blackwell Server Edition", 97887, "2bb5", "rtx-pro-6000-blackwell-server"),
    ("NVIDIA RTX PRO 5000 Blackwell", 48935, "2bb3", "rtx-pro-5000-blackwell-48gb"),
    ("NVIDIA B200", 183359, "2901", "b200-sxm"),
    ("NVIDIA GB200", 189471, "2941", "gb200"),
    ("NVIDIA B300 SXM6 AC", 275040, "3182", "b300-sxm"),
    ("Orin", 62841, None, "jetson-agx-orin-64gb"),
    ("Orin", 30697, None, "jetson-agx-orin-32gb"),
    ("Orin", 15656, None, "jetson-orin-nx-16gb"),
    ("Orin", 7620, None, "jetson-orin-nano-8gb-super"),
    ("AMD Radeon Graphics", 196592, "74a1", "mi300x"),
    ("AMD Radeon Graphics", 24560, "744c", "rx-7900-xtx"),
    ("AMD Radeon Graphics", 20464, "744c", "rx-7900-xt"),
    ("AMD Radeon Graphics", 512, "1586", "ryzen-ai-max-395-radeon-8060s"),
    ("AMD Instinct MI300X OAM", 196592, "0x74a1", "mi300x"),
    ("AMD Instinct MI250X", 65520, "7408", "mi250x"),
    ("Arcturus GL-XL [Instinct MI100]", 32752, "0x738c", "mi100"),
    (None, 196592, "74a1", "mi300x"),
    ("910B3", 65536, None, "ascend-910b3"),
    ("Ascend910B2", 65536, None, "ascend-910b2"),
    ("310P3", 44280, None, "ascend-310p3"),
    ("HL-225", 98304, None, "gaudi-2"),
    ("Apple M3 Ultra", 393_216, None, "apple-m3-ultra"),
]
# driver string, memory in MiB, PCI id, the rows it may be
AMBIGUOUS = [
    ("NVIDIA GeForce RTX 4090", None, None, {"rtx-4090", "rtx-4090-48gb"}),
    ("NVIDIA GeForce RTX 4060 Ti", 0, "2803", {"rtx-4060-ti-8gb", "rtx-4060-ti-16gb"}),
    ("AMD Radeon Graphics", 16304, "7550", {"rx-9070", "rx-9070-xt"}),
    ("NVIDIA H100 80GB HBM3", 81559, "2335", {"h100-sxm-80gb", "h200-sxm-141gb"}),
]
# driver string, memory in MiB, PCI id
UNKNOWN = [
    ("NVIDIA GeForce GTX 1070 Ti", 8192, "1b82"),
    ("NVIDIA GeForce RTX 4090 Laptop GPU", 16376, "2717"),
    ("Quadro P400", 2048, None),
    ("Navi 22 [Radeon RX 6700/6700 XT / 6800M]", 12272, "73df"),
    ("AMD Radeon Graphics", None, None),
    ("NVIDIA GeForce RTX 3080", 20480, "2206"),
    ("NVIDIA H20", 143771, None),
    ("NVIDIA A100-SXM4-40GB", 81920, None),
    ("GRID P40-24Q", 24576, None),
    ("", 0, ""),
    (None, None, None),
]


def _match(name, mebibytes, pci):
    return DATABASE.match(name, mebibytes and mebibytes * MIB, pci)


@pytest.mark.parametrize(("name", "mebibytes", "pci", "row"), EXACT)
def test_a_real_device_is_recognised(name, mebibytes, pci, row):
    found = _match(name, mebibytes, pci)
    assert (found.state, found.accelerator and found.accelerator.id) == ("exact", row), found.reasons
    assert found.reasons


@pytest.mark.parametrize(("name", "mebibytes", "pci", "rows"), AMBIGUOUS)
def test_what_may_be_several_says_so(name, mebibytes, pci, rows):
    found = _match(name, mebibytes, pci)
    assert (found.state, found.accelerator) == ("ambiguous", None)
    assert {row for row, _ in found.nearest} == rows


@pytest.mark.parametrize(("name", "mebibytes", "pci"), UNKNOWN)
def test_what_nobody_knows_is_not_guessed(name, mebibytes, pci):
    found = _match(name, mebibytes, pci)
    assert (found.state, found.accelerator) == ("unknown", None)
    assert found.reasons


def test_a_card_with_other_memory_is_near_to_the_card_of_its_name():
    found = _match("NVIDIA GeForce RTX 3080", 20480, "2206")
    assert [row for row, _ in found.nearest] == ["rtx-3080-12gb", "rtx-3080"]
    assert found.nearest[0][1] == pytest.approx(8 / 20)


@pytest.mark.parametrize(
    ("name", "row", "profile", "gibibytes"),
    [
        ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", "h100-sxm-80gb:1g.10gb", "1g.10gb", 9.75),
        ("NVIDIA A100-SXM4-40GB MIG 3g.20gb", "a100-sxm-40gb:3g.20gb", "3g.20gb", 19.62),
        ("NVIDIA A100-SXM4-40GB MIG 1c.3g.20gb", "a100-sxm-40gb:3g.20gb", "3g.20gb", 19.62),
        ("NVIDIA H200 MIG 1g.18gb", "h200-sxm-141gb:1g.18gb", "1g.18gb", 16.0),
        ("NVIDIA A100-SXM4-80GB MIG 1g.10gb+me", "a100-sxm-80gb:1g.10gb+me", "1g.10gb+me", 9.5),
    ],
)
def test_a_mig_slice_is_recognised_by_its_name(name, row, profile, gibibytes):
    found = DATABASE.match(name)
    assert (found.state, found.partition, found.profile) == ("exact", "mig", profile)
    assert found.accelerator.id == row
    assert found.accelerator.memory_bytes / GIB == pytest.approx(gibibytes, rel=0.01)


def test_a_slice_takes_the_memory_that_its_driver_reports():
    found = DATABASE.match("NVIDIA H100 80GB HBM3 MIG 1g.10gb", 9984 * MIB, "2330")
    assert found.accelerator.memory_bytes == 9984 * MIB
    assert found.accelerator.memory_is_reported


def test_a_slice_that_the_device_does_not_have_is_unknown():
    assert DATABASE.match("NVIDIA A100-SXM4-40GB MIG 9g.99gb").state == "unknown"


@pytest.mark.parametrize(
    ("name", "row", "profile", "gibibytes"),
    [
        ("GRID A100-10C", "a100-pcie-40gb", "10C", 10),
        ("GRID A100D-80C", "a100-pcie-80gb", "80C", 80),
        ("GRID A100DX-4-40C", "a100-sxm-80gb", "40C", 40),
        ("NVIDIA L40S-24Q", "l40s", "24Q", 24),
        ("GRID T4-16C", "t4", "16C", 16),
        ("NVIDIA H100XM-80C", "h100-sxm-80gb", "80C", 80),
    ],
)
def test_a_virtual_gpu_is_recognised_by_its_profile(name, row, profile, gibibytes):
    found = DATABASE.match(name)
    assert (found.state, found.partition, found.profile) == ("exact", "vgpu", profile)
    assert found.accelerator.id == row
    assert found.accelerator.memory_bytes == gibibytes * GIB


def test_every_row_is_found_again_by_what_its_driver_says():
    for row in DATABASE.accelerators():
        memory = row.driver_memory_bytes or (None if row.unified_memory else row.marketed_memory_bytes)
        pci = row.pci_device_ids[0] if row.pci_device_ids else None
        for name in row.driver_names if memory else ():
            found = DATABASE.match(name, memory, pci)
            assert found.state == "exact", (name, found)
            assert found.accelerator.id == row.id


@given(
    st.one_of(st.none(), st.text(max_size=400), st.sampled_from([name for name, *_ in EXACT])),
    st.one_of(st.none(), st.integers(-(10**30), 10**30)),
    st.one_of(st.none(), st.text(max_size=30), st.sampled_from(["2684", "0x233510DE", "7550"])),
)
def test_any_report_is_answered(name, memory, pci):
    found = DATABASE.match(name, memory, pci)
    assert (found.accelerator is not None) == (found.state == "exact")
    assert all(0 <= away <= 1 for _, away in found.nearest)
