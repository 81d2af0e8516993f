"""Names that people and drivers write lead to the row they mean, or say which rows they may mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwdb.database import Database
from hwdb.errors import AmbiguousRow, LookupProblem, UnknownRow
from hwdb.names import distance

DATABASE = Database()

SPOKEN = {
    "h200": "h200-sxm-141gb",
    "H200-SXM": "h200-sxm-141gb",
    "8xH200-SXM": "h200-sxm-141gb",
    "2x8xH100": "h100-sxm-80gb",
    "8 x H100": "h100-sxm-80gb",
    "H100": "h100-sxm-80gb",
    "h100 pcie": "h100-pcie-80gb",
    "H100-NVL": "h100-nvl-94gb",
    "A100-80GB": "a100-sxm-80gb",
    "a100-40g": "a100-sxm-40gb",
    "rtx 4090": "rtx-4090",
    "RTX-4090": "rtx-4090",
    "4090": "rtx-4090",
    "4090 48G": "rtx-4090-48gb",
    "3090": "rtx-3090",
    "RTX 3060": "rtx-3060-12gb",
    "4060 Ti 16GB": "rtx-4060-ti-16gb",
    "RTX PRO 6000": "rtx-pro-6000-blackwell-workstation",
    "RTX PRO 6000 Server": "rtx-pro-6000-blackwell-server",
    "RTX 6000 Ada": "rtx-6000-ada",
    "A6000": "rtx-a6000",
    "MI300X": "mi300x",
    "AMD Instinct MI355X": "mi355x",
    "MI250X": "mi250x",
    "7900 xtx": "rx-7900-xtx",
    "L40S": "l40s",
    "T4": "t4",
    "H20": "h20-96gb",
    "H20-3e": "h20-3e-141gb",
    "GH200": "gh200-96gb",
    "b200": "b200-sxm",
    "GB200": "gb200",
    "DGX Spark": "gb10",
    "Strix Halo": "ryzen-ai-max-395-radeon-8060s",
    "Arc B580": "arc-b580",
    "gaudi3": "gaudi-3",
    "910B3": "ascend-910b3",
    "910C": "ascend-910c",
    "tpu v6e": "google-tpu-v6e",
    "trn2": "aws-trainium2",
    "M3 Ultra": "apple-m3-ultra",
    "NVIDIA H100 80GB HBM3": "h100-sxm-80gb",
    "NVIDIA A100-SXM4-80GB": "a100-sxm-80gb",
    "Tesla V100-SXM2-16GB": "v100-sxm-16gb",
}
SEVERAL = {
    "A100": {"a100-sxm-80gb", "a100-sxm-40gb", "a100-pcie-80gb", "a100-pcie-40gb"},
    "v100": {"v100-sxm-32gb", "v100-sxm-16gb", "v100-pcie-32gb"},
    "910B": {"ascend-910b1", "ascend-910b2", "ascend-910b3", "ascend-910b4"},
    "4060 Ti": {"rtx-4060-ti-8gb", "rtx-4060-ti-16gb"},
    "NVIDIA GeForce RTX 5060 Ti": {"rtx-5060-ti-8gb", "rtx-5060-ti-16gb"},
}


@pytest.mark.parametrize("name", SPOKEN)
def test_a_name_leads_to_its_row(name):
    assert DATABASE.accelerator(name).id == SPOKEN[name]


@pytest.mark.parametrize("name", SEVERAL)
def test_an_ambiguous_name_lists_what_it_may_mean(name):
    with pytest.raises(AmbiguousRow) as several:
        DATABASE.accelerator(name)
    assert set(several.value.candidates) == SEVERAL[name]
    assert all(candidate in str(several.value) for candidate in SEVERAL[name])


@pytest.mark.parametrize(
    "name", ["h1000", "rtx 6090", "GeForce 9800 GT", "", " ", "x", "8x", "../../etc/passwd", "\0", "€"]
)
def test_a_miss_is_never_a_guess(name):
    with pytest.raises(UnknownRow) as miss:
        DATABASE.accelerator(name)
    distances = [away for _, away in miss.value.nearest]
    assert distances == sorted(distances)
    assert all(0 <= away < 1 for away in distances)


def test_the_nearest_row_of_a_slip_comes_first():
    with pytest.raises(UnknownRow) as miss:
        DATABASE.accelerator("h100-sxm-80bg")
    assert miss.value.nearest[0][0] == "h100-sxm-80gb"


def test_prefixes_of_other_cards_do_not_match():
    assert DATABASE.accelerator("h20").id != DATABASE.accelerator("h200").id
    assert DATABASE.accelerator("l4").id == "l4"
    assert DATABASE.accelerator("l40").id == "l40"
    assert DATABASE.accelerator("a10").id == "a10"


ANY_ID = st.sampled_from([row.id for row in DATABASE.accelerators()])


@given(ANY_ID, st.sampled_from(["", " ", "_", "-", "  "]), st.booleans(), st.integers(1, 4096))
def test_case_dashes_and_counts_do_not_matter(row_id, joint, upper, count):
    written = row_id.replace("-", joint) if not row_id.replace("-", joint)[0].isdigit() else row_id
    written = written.upper() if upper else written
    try:
        assert DATABASE.accelerator(written).id == row_id
    except AmbiguousRow as several:
        assert row_id in several.candidates
    assert DATABASE.accelerator(f"{count}x{row_id}").id == row_id


@given(st.text(max_size=300))
def test_any_text_ends_in_a_row_or_a_typed_miss(text):
    try:
        DATABASE.accelerator(text)
    except LookupProblem as problem:
        assert problem.kind == "accelerator"
    DATABASE.host(text)
    DATABASE.find_link(text)


@given(st.text(max_size=40), st.text(max_size=40))
def test_distance_is_symmetric_and_bounded(one, other):
    assert distance(one, other) == distance(other, one)
    assert 0 <= distance(one, other) <= 1


def test_distance_is_zero_for_the_same_name_in_another_writing():
    assert distance("NVIDIA GeForce RTX 4090", "rtx-4090") == 0


def test_a_slice_is_a_device_of_its_own():
    whole, part = DATABASE.accelerator("h100"), DATABASE.accelerator("h100:2g.20gb")
    assert part.id == "h100-sxm-80gb:2g.20gb"
    assert part.bandwidth_bytes_s == pytest.approx(whole.bandwidth_bytes_s / 4)
    assert part.peak_flop_s["bf16"] == pytest.approx(whole.peak_flop_s["bf16"] * 2 / 7)
    assert part.link is None
    with pytest.raises(UnknownRow, match=r"1g\.10gb"):
        DATABASE.accelerator("h100:1g.11gb")


def test_links_fabrics_and_disks_are_found():
    assert DATABASE.link("NVLink 4.0").bytes_s == 450e9
    assert DATABASE.link("pcie5-x16").bytes_s == 63e9
    assert DATABASE.link("PCIe gen4 x8").bytes_s == pytest.approx(15.75e9)
    assert DATABASE.fabric("NDR").bytes_s == 50e9
    assert DATABASE.fabric("roce-400g").latency_s < DATABASE.fabric("ethernet-400g").latency_s
    assert DATABASE.storage("NVMe").read_bytes_s == 7e9
    assert DATABASE.find_link("carrier pigeon") is None
    with pytest.raises(UnknownRow):
        DATABASE.fabric("carrier pigeon")
