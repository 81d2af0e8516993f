"""Processor texts as people, lscpu and logs write them."""

import pytest

from hwdb.database import Database
from hwdb.units import GIGA

DATABASE = Database()

# text → family, GB/s per socket
TEXTS = {
    "AMD EPYC 9355 32-Core Processor": ("epyc-9005", 576),
    "EPYC 9355 (32 cores), 12x DDR5-6400 (598 GB/s read measured)": ("epyc-9005", 614.4),
    "EPYC 9175F (16 cores), 768 GB DDR5 @5600": ("epyc-9005", 537.6),
    "EPYC 9355 (32 threads VM), 12ch DDR5-6000 (~500GB/s)": ("epyc-9005", 576),
    "AMD EPYC 9654 96-Core Processor": ("epyc-9004", 460.8),
    "AMD EPYC 7543": ("epyc-7002-7003", 204.8),
    "AMD EPYC 7B13": ("epyc-7002-7003", 204.8),
    "AMD EPYC-Milan Processor": ("epyc-7002-7003", 204.8),
    "Intel(R) Xeon(R) 6980P": ("xeon-6900p", 614.4),
    "CPU: Intel Xeon 6980P single socket (~512 GB/s)": ("xeon-6900p", 614.4),
    "Intel(R) Xeon(R) 6980P MRDIMM-8800": ("xeon-6900p", 844.8),
    "Intel(R) Xeon(R) Gold 6530": ("xeon-5", 358.4),
    "INTEL(R) XEON(R) PLATINUM 8592+": ("xeon-5", 358.4),
    "Xeon 8480 ES (56c), 8ch DDR5-4800": ("xeon-4", 307.2),
    "Intel(R) Xeon(R) Platinum 8358 CPU @ 2.60GHz": ("xeon-3", 204.8),
    "Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz": ("xeon-e5-v4", 76.8),
    "Intel(R) Xeon(R) w9-3495X": ("xeon-w-3400-3500", 307.2),
    "Threadripper PRO 7975WX": ("threadripper-pro-7000", 332.8),
    "AMD Ryzen Threadripper PRO 7975WX 32-Cores": ("threadripper-pro-7000", 332.8),
    "Threadripper Pro 3995WX, DDR4-3200 8ch": ("threadripper-pro-3000-5000", 204.8),
    "Ryzen 9 7950X": ("ryzen-7000-9000", 89.6),
    "CPU: Ryzen 7950X (AVX2/Zen4)": ("ryzen-7000-9000", 89.6),
    "16 threads (poster: 9950X + 96GB RAM, model paged from NVMe)": ("ryzen-7000-9000", 89.6),
    "AMD Ryzen 7 9800X3D 8-Core Processor": ("ryzen-7000-9000", 89.6),
    "Ryzen 7 3700X": ("ryzen-3000", 51.2),
    "AMD Ryzen 5 3600": ("ryzen-3000", 51.2),
    "Ryzen 5 5600X": ("ryzen-4000-5000", 51.2),
    "CPU: Framework 13 (Ryzen AI 5 340)": ("ryzen-ai-300", 89.6),
    "AMD RYZEN AI MAX+ 395 w/ Radeon 8060S": ("ryzen-ai-max", 256),
    "Intel(R) Core(TM) i9-10900X CPU @ 3.70GHz": ("core-x", 93.9),
    "Core i9-10900X": ("core-x", 93.9),
    "Intel(R) Core(TM) i9-10900K CPU @ 3.70GHz": ("core-10", 46.9),
    "13th Gen Intel(R) Core(TM) i9-13900HK": ("core-12-14", 89.6),
    "Intel Core Ultra 9 285K": ("core-ultra-200", 102.4),
    "Intel(R) Core(TM) Ultra 7 258V": ("core-ultra-200v", 136.5),
    "CPU: GMKtec G3 Plus (Intel N150) - 16GB": ("intel-n", 38.4),
    "CPU: AmpereOne A192-32X (512GB)": ("ampereone", 332.8),
    "Cortex-A725": ("gb10-cpu", 273.2),
    "Kunpeng-920": ("kunpeng-920", 187.7),
    "Apple M1": ("apple-m1-cpu", 68),
    "Apple M3 Ultra": ("apple-m3-ultra-cpu", 800),
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_processor_text_leads_to_its_family(text):
    family, gigabytes = TEXTS[text]
    row = DATABASE.host(text)
    assert row is not None
    assert row.id == family
    assert row.bandwidth_bytes_s / GIGA == pytest.approx(gigabytes, rel=0.005)


@pytest.mark.parametrize(
    ("text", "sockets", "channels", "gigabytes"),
    [
        ("2x Xeon Gold 6454S (32c/socket), 8x DDR5-4800 per socket", 2, 8, 307.2),
        ("2x Xeon Gold 6138 (20c), 12ch DDR4-2666 total", 2, 6, 128),
        ("2x EPYC 9355, 23 DDR5 channels", 2, 11.5, 552),
        ("EPYC 9355, 12x DDR5-6400", None, 12, 614.4),
        ("dual AMD EPYC 7763", 2, 8, 204.8),
        ("Xeon 6980P 128c single socket (~512 GB/s)", 1, 12, 614.4),
    ],
)
def test_what_the_text_says_of_sockets_and_memory_is_taken(text, sockets, channels, gigabytes):
    row = DATABASE.host(text)
    assert (row.sockets, row.memory_channels) == (sockets, channels)
    assert row.bandwidth_bytes_s / GIGA == pytest.approx(gigabytes, rel=0.005)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Intel(R) Xeon(R) CPU @ 2.20GHz",
        "Genuine Intel(R) CPU",
        "a toaster",
        "NVIDIA GeForce RTX 3090",
        "9" * 10_000,
    ],
)
def test_an_unknown_processor_is_none(text):
    assert DATABASE.host(text) is None


def test_absurd_memory_in_a_text_is_not_believed():
    row = DATABASE.host("99x EPYC 9355, 99ch DDR5-99999")
    assert row.bandwidth_bytes_s == DATABASE.host("EPYC 9355").bandwidth_bytes_s
    assert row.sockets is None


@pytest.mark.parametrize("row", DATABASE.hosts(), ids=lambda row: row.id)
def test_every_family_is_plausible_and_sourced(row):
    assert 10e9 <= row.bandwidth_bytes_s <= 900e9
    assert "bandwidth_bytes_s" in row.sources
    assert row.patterns
    if row.memory_channels:
        assert row.bandwidth_bytes_s == pytest.approx(row.memory_channels * row.memory_mt_s * 1e6 * 8)
