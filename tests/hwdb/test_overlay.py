"""The user's own directories: laid over ours, origin shown, checked as strictly, every problem named."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwdb.database import Database
from hwdb.errors import InvalidData, UnknownRow
from hwdb.fields import FIELDS
from hwdb.validate import check_row

MINE = """
id = "rtx-3080-20gb"
vendor = "nvidia"
name = "RTX 3080 20 GB (modified)"
aliases = ["3080 20G"]
driver_names = ["NVIDIA GeForce RTX 3080"]
pci_device_ids = ["2206"]
driver_memory_bytes = 21_474_836_480
bandwidth_bytes_s = 7.603e11

[peak_flop_s]
bf16 = 5.95e13

[[sources]]
text = "nvidia-smi on our own machine"
date = "2026-11-23"
fields = ["driver_memory_bytes", "bandwidth_bytes_s", "peak_flop_s", "driver_names"]
"""
SOURCED = '\n[[sources]]\ntext = "x"\ndate = "2026"\nfields = ["{}"]\n'
HEAD = 'id = "mine"\nvendor = "me"\nname = "Mine"\n'


def _write(folder, text, kind="accelerators", name="mine.toml"):
    path = folder / kind / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def _problems(folder):
    with pytest.raises(InvalidData) as invalid:
        Database((folder,)).accelerator("h200")
    return invalid.value.problems


def test_an_own_card_lies_beside_ours(tmp_path):
    path = _write(tmp_path, MINE)
    database = Database((tmp_path,))
    row = database.accelerator("3080-20g")
    assert row.origin == str(path)
    assert row.memory_bytes == 20 << 30
    assert row.memory_is_reported
    assert database.accelerator("h200").origin == "built-in"
    assert len(database.accelerators()) == len(Database().accelerators()) + 1


def test_an_own_card_takes_part_in_matching(tmp_path):
    _write(tmp_path, MINE)
    report = ("NVIDIA GeForce RTX 3080", 20 << 30, "2206")
    assert Database().match(*report).state == "unknown"
    found = Database((tmp_path,)).match(*report)
    assert (found.state, found.accelerator.id) == ("exact", "rtx-3080-20gb")


def test_an_own_row_replaces_ours_of_the_same_id_and_the_later_directory_wins(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    text = 'id = "h200-sxm-141gb"\nvendor = "nvidia"\nname = "{}"\n'
    _write(first, text.format("First"))
    _write(second, text.format("Second"))
    assert Database((first,)).accelerator("h200-sxm-141gb").name == "First"
    assert Database((first, second)).accelerator("h200-sxm-141gb").name == "Second"


def test_an_own_alias_wins_over_ours(tmp_path):
    _write(tmp_path, 'id = "our-h200"\nvendor = "nvidia"\nname = "Ours"\naliases = ["H200"]\n')
    assert Database((tmp_path,)).accelerator("h200").id == "our-h200"


def test_hosts_links_and_several_rows_in_a_file(tmp_path):
    link = '[[rows]]\nid = "{0}"\nname = "{0}"\nbytes_s = 1e9\nlatency_s = 1e-6\n'
    source = '[[rows.sources]]\ntext = "x"\ndate = "2026"\nfields = ["bytes_s", "latency_s"]\n'
    _write(tmp_path, link.format("wet-string") + source + link.format("dry-string") + source, kind="links")
    _write(tmp_path, 'id = "vax"\nvendor = "dec"\nname = "VAX 11/780"\npatterns = ["vax 11 7#0"]\n', kind="hosts")
    database = Database((tmp_path,))
    assert database.link("Wet String").bytes_s == 1e9
    assert database.link("dry-string").id == "dry-string"
    assert database.host("DEC VAX-11/780").id == "vax"


HOSTILE = {
    "unknown key": (HEAD + "bandwith_bytes_s = 1e12\n", "bandwith_bytes_s", "bandwidth_bytes_s"),
    "unknown format": (HEAD + "[peak_flop_s]\nbf61 = 1e12\n", "peak_flop_s.bf61", "bf16"),
    "no source": (HEAD + "bandwidth_bytes_s = 1e12\n", "bandwidth_bytes_s", None),
    "text for a number": (HEAD + 'tdp_w = "700"\n' + SOURCED.format("tdp_w"), "tdp_w", None),
    "bool for a number": (HEAD + "tdp_w = true\n" + SOURCED.format("tdp_w"), "tdp_w", None),
    "not a number": (HEAD + "tdp_w = nan\n" + SOURCED.format("tdp_w"), "tdp_w", None),
    "infinite": (HEAD + "bandwidth_bytes_s = inf\n" + SOURCED.format("bandwidth_bytes_s"), "bandwidth_bytes_s", None),
    "negative": (
        HEAD + "driver_memory_bytes = -1\n" + SOURCED.format("driver_memory_bytes"),
        "driver_memory_bytes",
        None,
    ),
    "gigabytes": (
        HEAD + "driver_memory_bytes = 80\n" + SOURCED.format("driver_memory_bytes"),
        "driver_memory_bytes",
        None,
    ),
    "200 digits": (
        HEAD + f"driver_memory_bytes = {'9' * 200}\n" + SOURCED.format("driver_memory_bytes"),
        "driver_memory_bytes",
        None,
    ),
    "whole number wanted": (HEAD + "sm_count = 1.5\n" + SOURCED.format("sm_count"), "sm_count", None),
    "escape in a name": ('id = "mine"\nvendor = "me"\nname = "\\u001b[2J"\n', "name", None),
    "path in an id": ('id = "../../etc"\nvendor = "me"\nname = "x"\n', "id", None),
    "missing name": ('id = "mine"\nvendor = "me"\n', "name", None),
    "pci id": (HEAD + 'pci_device_ids = ["0x26B1"]\n', "pci_device_ids[0]", None),
    "mig profile": (HEAD + 'mig_profiles = ["half"]\n', "mig_profiles[0]", None),
    "date of a source": (HEAD + '[[sources]]\ntext = "x"\ndate = "soon"\nfields = []\n', "sources[0].date", None),
    "field of a source": (
        HEAD + '[[sources]]\ntext = "x"\ndate = "2026"\nfields = ["tpd_w"]\n',
        "sources[0].fields",
        "tdp_w",
    ),
    "key of a source": (
        HEAD + '[[sources]]\ntext = "x"\ndate = "2026"\nurl = "y"\nfields = []\n',
        "sources[0].url",
        None,
    ),
    "sources as text": (HEAD + 'sources = "me"\n', "sources", None),
    "doubt about nothing": (
        HEAD + '[doubts]\nbandwith_bytes_s = "?"\n',
        "doubts.bandwith_bytes_s",
        "bandwidth_bytes_s",
    ),
    "names as a text": (HEAD + 'aliases = "h200"\n', "aliases", None),
    "too many names": (HEAD + f"aliases = {['x'] * 1000}\n", "aliases", None),
    "rows of a wrong type": ("rows = [1, 2]\n", "rows[0].", None),
    "not TOML": ("id = \n", "", None),
    "not text": (b"\xff\xfe\x00", "", None),
    "too deep": ("x = " + "[" * 5000 + "]" * 5000, "", None),
    "too large": ("# " + "x" * (1 << 20), "", None),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_bad_file_is_refused_by_file_and_key(case, tmp_path):
    text, key, near = HOSTILE[case]
    path = _write(tmp_path, text)
    problems = _problems(tmp_path)
    assert all(problem.file == str(path) for problem in problems)
    assert key in {problem.key for problem in problems}
    assert all(problem.message.isprintable() and problem.key.isprintable() for problem in problems)
    assert near is None or near in {problem.nearest for problem in problems}


def test_all_problems_of_all_files_are_named_at_once(tmp_path):
    _write(tmp_path / "a", HEAD + "tdp_w = nan\nfoo = 1\n")
    _write(tmp_path / "b", "id = 3\n", kind="links")
    with pytest.raises(InvalidData) as invalid:
        Database((tmp_path / "a", tmp_path / "b", tmp_path / "none")).link("nvlink4")
    keys = {problem.key for problem in invalid.value.problems}
    assert {"tdp_w", "foo", "id", "name", "bytes_s", ""} <= keys


def test_two_rows_of_one_name_are_a_mistake(tmp_path):
    _write(tmp_path, HEAD + 'aliases = ["yours"]\n', name="a.toml")
    _write(tmp_path, HEAD.replace('"mine"', '"yours"').replace('"Mine"', '"Other"'), name="b.toml")
    assert any("yours" in problem.message for problem in _problems(tmp_path))
    _write(tmp_path, HEAD, name="b.toml")
    assert any("twice" in problem.message for problem in _problems(tmp_path))


def test_a_misspelt_folder_is_not_passed_over(tmp_path):
    (tmp_path / "accelerator").mkdir()
    (tmp_path / "models").mkdir()
    problem, *others = _problems(tmp_path)
    assert problem.nearest == "accelerators"
    assert not others


def test_other_folders_are_not_ours(tmp_path):
    for name in ("models", "profiles", "prices", ".git"):
        (tmp_path / name).mkdir()
    assert Database((tmp_path,)).accelerator("h200").id == "h200-sxm-141gb"


def test_a_bad_ambiguous_file_is_refused(tmp_path):
    _write(tmp_path, '[names]\nfoo = "bar"\n', name="ambiguous.toml")
    assert [problem.key for problem in _problems(tmp_path)] == ["names.'foo'"]


def test_opening_reads_nothing(tmp_path):
    database = Database((tmp_path / "none",))
    with pytest.raises(InvalidData):
        database.accelerators()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from([*FIELDS["accelerators"], "sources", "doubts"]) | st.text(max_size=8)


@settings(max_examples=100)
@given(st.sampled_from(list(FIELDS)), st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_table_is_accepted_or_refused_with_reasons(kind, table):
    problems = []
    row = check_row(kind, table, "file", "", problems)
    assert (row is None) == bool(problems)


def test_an_unknown_row_stays_unknown_with_overlays(tmp_path):
    _write(tmp_path, MINE)
    with pytest.raises(UnknownRow):
        Database((tmp_path,)).accelerator("h1000")
