"""The figures of all rows: physically possible, dense, consistent, sourced."""

import re
from dataclasses import fields

import pytest

from hwdb.database import Database
from hwdb.fields import DERIVED, FIELDS
from hwdb.schema import Accelerator, Connection, Processor, Storage
from hwdb.units import GIB, GIGA, TERA

DATABASE = Database()
ROWS = DATABASE.accelerators()

# Data sheets of the vendors, dense: TFLOP/s of bf16 (fp16 before Ampere), fp8, fp4
DENSE = {
    "v100-sxm-32gb": (125, None, None),
    "t4": (65, None, None),
    "a10": (125, None, None),
    "a30": (165, None, None),
    "a40": (149.7, None, None),
    "a100-sxm-80gb": (312, None, None),
    "l4": (121, 242, None),
    "l40": (181, 362, None),
    "l40s": (362, 733, None),
    "h100-sxm-80gb": (989, 1979, None),
    "h100-pcie-80gb": (756, 1513, None),
    "h100-nvl-94gb": (835, 1671, None),
    "h200-sxm-141gb": (989, 1979, None),
    "h20-96gb": (148, 296, None),
    "b200-sxm": (2250, 4500, 9000),
    "gb200": (2500, 5000, 10000),
    "gb300": (2500, 5000, 15000),
    "rtx-3090": (71, None, None),
    "rtx-4090": (165, 330, None),
    "rtx-5090": (209.5, 419, 1676),
    "rtx-a6000": (154.8, None, None),
    "rtx-6000-ada": (364, 728.5, None),
    "rtx-pro-6000-blackwell-workstation": (503.8, 1007.6, 2015),
    "mi210": (181, None, None),
    "mi250x": (191.5, None, None),
    "mi300x": (1307, 2614, None),
    "mi325x": (1307, 2614, None),
    "mi350x": (2300, 4600, 9200),
    "mi355x": (2500, 5000, 10000),
    "gaudi-2": (432, 865, None),
    "gaudi-3": (1677, 1677, None),
    "google-tpu-v5e": (197, None, None),
    "google-tpu-v6e": (918, 918, None),
    "aws-trainium2": (667, 1299, None),
}
PIN_RATES = {
    "HBM2": (1.4, 2.6),
    "HBM2e": (1.5, 3.7),
    "HBM3": (4.8, 6.6),
    "HBM3e": (6.0, 9.9),
    "GDDR6": (10, 20.2),
    "GDDR6X": (19, 23.1),
    "GDDR7": (18, 32),
    "LPDDR5": (5.5, 6.5),
    "LPDDR5X": (7.4, 9.7),
}
"""Gbit/s per pin that parts of a memory type are sold with."""
CUT_INT8 = {"b300-sxm", "gb300", "rubin-sxm"}
"""Chips whose int8 units were cut down on purpose."""
LANE = {3: 0.985, 4: 1.969, 5: 3.938, 6: 7.563}
"""GB/s of one PCIe lane, one direction."""


def each_row(check):
    """One test over all rows that names every row it fails for."""

    def test():
        wrong = []
        for row in ROWS:
            try:
                check(row)
            except AssertionError as error:
                wrong.append(f"{row.id}: {error}")
        assert not wrong, "\n".join(wrong)

    return test


def test_every_known_accelerator_is_here():
    assert len(ROWS) == 185
    assert {row.vendor for row in ROWS} >= {"nvidia", "amd", "intel", "huawei", "apple", "google", "aws"}


@pytest.mark.parametrize("row_id", DENSE)
def test_peaks_are_the_dense_ones_of_the_data_sheet(row_id):
    peaks = DATABASE.accelerator(row_id).peak_flop_s
    bf16, fp8, fp4 = DENSE[row_id]
    assert (peaks.get("bf16") or peaks["fp16"]) / TERA == pytest.approx(bf16, rel=0.015)
    assert fp8 is None or peaks["fp8"] / TERA == pytest.approx(fp8, rel=0.015)
    assert fp4 is None or peaks["fp4"] / TERA == pytest.approx(fp4, rel=0.015)
    assert fp8 is not None or "fp8" not in peaks


@each_row
def test_narrower_formats_are_not_slower(row):
    peaks = row.peak_flop_s
    for wide, narrow in (("bf16", "fp8"), ("fp8", "fp4"), ("tf32", "bf16"), ("bf16", "int8"), ("int8", "int4")):
        if wide in peaks and narrow in peaks and not (narrow == "int8" and row.id in CUT_INT8):
            assert peaks[narrow] >= 0.95 * peaks[wide], (wide, narrow)


@each_row
def test_no_sparse_figure_passes_as_dense(row):
    """Halving the width doubles a tensor unit's rate; sparsity would double it once more."""
    peaks = row.peak_flop_s
    if "bf16" in peaks and "fp8" in peaks and not row.announced:
        assert peaks["fp8"] <= 2.1 * peaks["bf16"]
    if "fp8" in peaks and "fp4" in peaks and row.vendor != "nvidia":
        assert peaks["fp4"] <= 2.1 * peaks["fp8"]
    for name, reached in row.achieved_flop_s.items():
        assert reached < peaks[name]


@each_row
def test_bandwidth_is_what_the_memory_type_can_do(row):
    if row.memory_bus_bits and row.bandwidth_bytes_s and row.memory_type:
        low, high = PIN_RATES[row.memory_type]
        assert low <= row.bandwidth_bytes_s * 8 / row.memory_bus_bits / GIGA <= high


@each_row
def test_memory_figures_agree(row):
    marketed, driver, runtime = row.marketed_memory_bytes, row.driver_memory_bytes, row.runtime_memory_bytes
    if not row.unified_memory:
        assert row.memory_bytes
        if driver and runtime:
            assert 0.93 <= runtime / driver <= 1
        if marketed and driver:
            assert 0.9 <= driver / marketed <= 1.03
        if runtime or driver:
            assert row.memory_bytes == (runtime or driver)
            assert row.memory_is_reported
    assert not row.memory_is_reported or "memory_bytes" in row.sources


@pytest.mark.parametrize(
    ("row_id", "gibibytes"),
    [
        ("h100-sxm-80gb", 79.19),
        ("a100-sxm-40gb", 39.49),
        ("mi300x", 191.98),
        ("rtx-5090", 31.36),
        ("rtx-pro-6000-blackwell-workstation", 94.97),
        ("t4", 14.74),
        ("h200-sxm-141gb", 139.8),
        ("b200-sxm", 178.35),
        ("gb10", 119.6),
    ],
)
def test_the_planner_uses_what_the_runtime_hands_out(row_id, gibibytes):
    row = DATABASE.accelerator(row_id)
    assert row.memory_bytes / GIB == pytest.approx(gibibytes, abs=0.02)
    assert row.memory_is_reported


@each_row
def test_pcie_rate_follows_generation_and_lanes(row):
    if row.pcie_bytes_s:
        assert row.pcie_bytes_s / GIGA == pytest.approx(LANE[row.pcie_gen] * row.pcie_lanes, rel=0.03)


@each_row
def test_links_exist_and_bridges_are_not_assumed(row):
    assert row.link is None or DATABASE.link(row.link).id == row.link
    assert row.bridge is None or DATABASE.link(row.bridge).id == row.bridge
    assert (row.link is None) == (row.link_bytes_s is None)
    assert row.bridge is None or row.link is None
    if row.link:
        assert 0.4 <= row.link_bytes_s / DATABASE.link(row.link).bytes_s <= 2.1


def test_packages_of_two_are_two_devices():
    mi250x = DATABASE.accelerator("mi250x")
    assert mi250x.devices_per_package == 2
    assert mi250x.marketed_memory_bytes == 64 * GIB
    assert mi250x.bandwidth_bytes_s == pytest.approx(1640e9)
    assert DATABASE.accelerator("910c").marketed_memory_bytes == 64 * GIB


def test_known_traps_stay_visible():
    assert "sparse" in DATABASE.accelerator("l40s").doubts["peak_flop_s.fp8"]
    assert DATABASE.accelerator("gaudi-3").peak_flop_s["bf16"] == 1677e12
    assert DATABASE.accelerator("b60").achieved_bandwidth_bytes_s < 0.5 * DATABASE.accelerator("b60").bandwidth_bytes_s
    assert "CPU" in DATABASE.accelerator("gh200").doubts["driver_names"]
    assert DATABASE.accelerator("rtx-4090").peak_flop_s_fp16_accumulate["fp16"] == 330.3e12
    assert DATABASE.accelerator("gb10").doubts["peak_flop_s.bf16"]


@each_row
def test_doubts_and_sources_name_real_fields(row):
    names = {field.name for field in fields(row)}
    for name in (*row.doubts, *row.sources):
        assert name.partition(".")[0] in names
    for source in row.sources.values():
        assert source.text
        assert re.fullmatch(r"\d{4}-\d{2}", source.date)


def test_data_files_may_hold_exactly_what_the_schema_has():
    for kind, schema in (
        ("accelerators", Accelerator),
        ("hosts", Processor),
        ("links", Connection),
        ("fabrics", Connection),
        ("storage", Storage),
    ):
        assert {field.name for field in fields(schema)} - DERIVED == set(FIELDS[kind])
