"""Before writing: what suits and why not, every file in one call, and what would change in a folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import tomli_w

from planner.cli.main import main
from planner.errors import Exit
from planner.export.preview import changes, offers, rendered
from planner.export.target import Options
from planner.export.write import refusal, write_bundle
from tests.export.deployments import IMAGE, SHAPES, context, library, shape

NAMES = ["vllm", "docker-compose"]


def test_every_target_is_offered_with_its_reason_or_none() -> None:
    found = {offer.target.name: offer for offer in offers(shape("vllm-wide"))}
    assert found["vllm"].reason is None and found["lws"].reason is None
    assert "2 nodes" in str(found["kubernetes"].reason) and "sglang" not in str(found["vllm"].reason)
    assert all(offer.checked_by for offer in found.values())
    older = {**SHAPES["vllm-intel"], "engine": {"name": "vllm", "version": "0.19.0"}}
    intel = {offer.target.name: offer for offer in offers(context(older))}
    assert "--image" in str(intel["docker-compose"].reason)


def test_one_call_renders_what_writing_writes(tmp_path: Path) -> None:
    bundle = rendered(shape("vllm-r1").deployment, library(), NAMES, Options(image=IMAGE))
    assert {p.split("/")[0] for p in bundle.files} >= {*NAMES, "README.md", "MANIFEST.json"}
    assert bundle.is_legal
    write_bundle(tmp_path / "out", bundle)
    assert {(tmp_path / "out" / p).read_text() for p in bundle.files} == set(bundle.files.values())


def test_changes_are_told_file_by_file(tmp_path: Path) -> None:
    first = rendered(shape("vllm-r1").deployment, library(), NAMES, Options(image=IMAGE))
    assert {c.kind for c in changes(tmp_path / "out", first)} == {"new"}
    write_bundle(tmp_path / "out", first)
    assert {c.kind for c in changes(tmp_path / "out", first)} == {"same"}
    other = rendered(shape("vllm-r1").deployment, library(), ["vllm", "bench"], Options(image=IMAGE, port=9000))
    told = {c.path: c for c in changes(tmp_path / "out", other)}
    assert told["docker-compose/compose.yaml"].kind == "gone" and told["bench/bench.sh"].kind == "new"
    assert told["vllm/serve.sh"].kind == "changed"
    assert "-  --port 8000 \\" in told["vllm/serve.sh"].diff and "+  --port 9000 \\" in told["vllm/serve.sh"].diff
    assert told["vllm/env"].kind == "same" and not told["vllm/env"].diff


def test_a_manifest_that_climbs_out_reads_nothing_there(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cr3t")
    place = tmp_path / "out"
    place.mkdir()
    (place / "MANIFEST.json").write_text('{"files": [{"path": "../secret"}, {"path": "/etc/passwd"}, {"path": "a"}]}')
    (place / "a").symlink_to(tmp_path / "secret")
    bundle = rendered(shape("vllm-r1").deployment, library(), ["vllm"], Options(image=IMAGE))
    told = changes(place, bundle)
    assert not any("s3cr3t" in c.diff or "root:" in c.diff for c in told)


def test_why_a_folder_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "new") is None
    (tmp_path / "mine.txt").write_text("x")
    assert "mine.txt" in str(refusal(tmp_path, overwrite=True))


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "d.toml"
    path.write_text(tomli_w.dumps(SHAPES["vllm-r1"]))
    return path


def test_the_command_shows_a_difference_and_writes_nothing(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = document.parent / "out"
    argv = ["export", str(document), "--target", "vllm", "-o", str(place)]
    assert main([*argv, "--diff"]) == Exit.OK
    assert "+exec vllm serve" in capsys.readouterr().out and not place.exists()
    assert main(argv) == Exit.OK
    capsys.readouterr()
    assert main([*argv, "--port", "9000", "--diff"]) == Exit.NOTHING_FITS
    captured = capsys.readouterr()
    assert "+  --port 9000" in captured.out and "--force" in captured.err
    assert "--port 8000" in (place / "vllm" / "serve.sh").read_text()
    assert main(["export", str(document), "--diff"]) == Exit.BAD_INPUT


def test_options_of_a_shape_are_options_of_the_call() -> None:
    exported = shape("vllm-wide")
    bundle = rendered(exported.deployment, library(), ["vllm"], replace(exported.options, image=IMAGE))
    assert "NCCL_SOCKET_IFNAME=bond0" in bundle.files["vllm/env"]
