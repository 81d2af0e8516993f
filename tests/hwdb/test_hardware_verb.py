"""``deploy-planner hardware`` shows lists and single rows; stdout is data only."""

import json

import pytest

from planner.cli.main import main
from planner.errors import Exit


@pytest.fixture(autouse=True)
def no_user_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("DEPLOY_PLANNER_DATA", raising=False)


def _run(capsys, *args):
    code = main(["hardware", *args])
    out, err = capsys.readouterr()
    return code, out, err


def test_all_accelerators_are_listed(capsys):
    code, out, err = _run(capsys)
    assert (code, err) == (Exit.OK, "")
    assert len(out.splitlines()) == 186
    assert "h200-sxm-141gb" in out


def test_one_row_shows_every_number_with_source_date_and_doubts(capsys):
    _, out, _ = _run(capsys, "b300")
    assert "268.0 GiB" in out or "267.7 GiB" in out
    assert "12,600 TFLOP/s" in out
    assert "12.6, 13.5, 14 and 15 PFLOP/s" in out
    assert "stas00/ml-engineering" in out
    assert "2026-11" in out
    assert "not checked" in out


def test_words_make_a_list(capsys):
    _, out, _ = _run(capsys, "nvidia", "blackwell")
    assert "b200-sxm" in out
    assert "rtx-5090" in out
    assert "h200" not in out


def test_an_ambiguous_name_lists_the_candidates(capsys):
    code, out, _ = _run(capsys, "910B")
    assert code == Exit.OK
    assert [line.split()[0] for line in out.splitlines()[1:]] == [f"ascend-910b{n}" for n in (1, 2, 3, 4)]


def test_hosts_links_and_fabrics_are_found(capsys):
    assert "epyc-9005" in _run(capsys, "EPYC 9355")[1]
    assert "450 GB/s" in _run(capsys, "nvlink4")[1]
    assert "infiniband-ndr" in _run(capsys, "--kind", "fabric")[1]


def test_json_is_the_whole_row(capsys):
    _, out, err = _run(capsys, "rtx 4090", "--json")
    document = json.loads(out)
    assert document["schema"] == "deploy-planner/hardware/1"
    (row,) = document["rows"]
    assert (row["kind"], row["id"]) == ("accelerator", "rtx-4090")
    assert row["peak_flop_s"]["bf16"] == 165.2e12
    assert row["sources"]["peak_flop_s.bf16"]["date"] == "2026-11"
    assert err == ""


def test_a_miss_says_what_is_near(capsys):
    code, out, err = _run(capsys, "h1000")
    assert (code, out) == (Exit.BAD_INPUT, "")
    assert "h100-sxm-80gb" in err


def test_a_bad_overlay_is_named_by_file_and_key(capsys, tmp_path):
    (tmp_path / "accelerators").mkdir()
    (tmp_path / "accelerators" / "x.toml").write_text('id = "x"\nvendor = "x"\nname = "X"\nbandwith_bytes_s = 1e12\n')
    code, out, err = _run(capsys, "--data", str(tmp_path))
    assert (code, out) == (Exit.BAD_INPUT, "")
    assert "x.toml: bandwith_bytes_s" in err
    assert "bandwidth_bytes_s" in err


def test_an_own_row_shows_where_it_comes_from(capsys, tmp_path):
    (tmp_path / "accelerators").mkdir()
    (tmp_path / "accelerators" / "x.toml").write_text('id = "x-1"\nvendor = "x"\nname = "X One"\n')
    _, out, _ = _run(capsys, "x-1", "--data", str(tmp_path))
    assert "x.toml" in out
