"""Headers of safetensors files: exact bytes, sharded checkpoints, hostile input."""

from __future__ import annotations

import json
import struct
import tracemalloc
from pathlib import Path

import pytest

from planner.errors import BadInput
from planner.models.safetensors import MAX_HEADER_BYTES, read_safetensors
from tests.models_files.conftest import entry, safetensors_bytes


def test_bytes_per_dtype_are_exact(write_safetensors, tmp_path):
    write_safetensors(
        {
            "model.embed_tokens.weight": ("BF16", [100, 8], 1600),
            "model.layers.0.q.weight": ("F8_E4M3", [16, 8], 128),
            "model.layers.0.q.weight_scale_inv": ("F32", [1, 1], 4),
            "packed": ("F4", [3, 2], 3),
            "empty": ("BF16", [0, 8], 0),
        }
    )
    found = read_safetensors(tmp_path)
    assert found.bytes_by_dtype == {"BF16": 1600, "F8_E4M3": 128, "F32": 4, "F4": 3}
    assert found.total_bytes == 1735
    assert {t.name: t.shape for t in found.tensors}["model.layers.0.q.weight"] == (16, 8)
    assert found.missing == ()


def test_sharded_checkpoint_lists_what_is_missing(write_safetensors, tmp_path):
    write_safetensors({"a": ("F16", [4], 8)}, "model-00001-of-00002.safetensors")
    index = {"metadata": {"total_size": 24}, "weight_map": {"a": "model-00001-of-00002.safetensors"}}
    index["weight_map"] |= {"b": "model-00002-of-00002.safetensors", "c": "model-00001-of-00002.safetensors"}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    found = read_safetensors(tmp_path)
    assert found.missing == ("model-00002-of-00002.safetensors",)
    assert found.absent_tensors == ("c",)
    assert found.total_bytes == 8


def test_files_may_be_symlinks_as_in_a_hub_cache(write_safetensors, tmp_path):
    blob = write_safetensors({"a": ("F16", [4], 8)}, "blob")
    snapshot = tmp_path / "snapshot"
    snapshot.mkdir()
    (snapshot / "model.safetensors").symlink_to(blob)
    assert read_safetensors(snapshot).total_bytes == 8


@pytest.mark.parametrize(
    "target",
    ["../model.safetensors", "/etc/passwd", "a/b.safetensors", "..\\m.safetensors", "x.bin", "m\0.safetensors"],
)
def test_an_index_cannot_lead_out_of_its_directory(tmp_path, target):
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": target}}))
    with pytest.raises(BadInput, match="not the name of a file beside the index"):
        read_safetensors(tmp_path)


HOSTILE = {
    "empty file": b"",
    "shorter than its length": b"\x10\0\0",
    "header beyond the file": safetensors_bytes({}, 0, length=1 << 40),
    "header beyond 100 MB": safetensors_bytes({}, 0, length=MAX_HEADER_BYTES + 1),
    "length of 2^64 - 1": struct.pack("<Q", 2**64 - 1) + b"{}",
    "not JSON": safetensors_bytes(b"{'a': 1}", 0),
    "not UTF-8": safetensors_bytes(b"\xff\xfe\xff\xfe", 0),
    "a list": safetensors_bytes([1], 0),
    "deep nesting": safetensors_bytes(b'{"a":' + b"[" * 200_000, 0),
    "duplicated key": safetensors_bytes(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{}}', 1),
    "overlap": safetensors_bytes({"a": entry("U8", [4], 0, 4), "b": entry("U8", [4], 2, 6)}, 6),
    "beyond the data": safetensors_bytes({"a": entry("U8", [8], 0, 8)}, 4),
    "unknown dtype": safetensors_bytes({"a": entry("Q4", [8], 0, 8)}, 8),
    "shape against offsets": safetensors_bytes({"a": entry("F16", [8], 0, 8)}, 8),
    "negative shape": safetensors_bytes({"a": entry("U8", [-1], 0, 8)}, 8),
    "backwards offsets": safetensors_bytes({"a": entry("U8", [8], 8, 0)}, 8),
    "200-digit shape": safetensors_bytes(b'{"a":{"dtype":"U8","shape":[1%s],"data_offsets":[0,8]}}' % (b"0" * 200), 8),
    "5000-digit shape": safetensors_bytes(
        b'{"a":{"dtype":"U8","shape":[1%s],"data_offsets":[0,8]}}' % (b"0" * 5000), 8
    ),
    "NaN": safetensors_bytes(b'{"a":{"dtype":"U8","shape":[NaN],"data_offsets":[0,8]}}', 8),
    "entry is a number": safetensors_bytes({"a": 7}, 0),
    "true as a size": safetensors_bytes({"a": {"dtype": "U8", "shape": [True], "data_offsets": [0, 1]}}, 1),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_refused_in_one_line_without_allocating(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(BadInput) as caught:
        read_safetensors(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "\n" not in str(caught.value)
    assert peak < 20_000_000


def test_a_tensor_in_two_shards_is_refused(write_safetensors, tmp_path):
    write_safetensors({"a": ("F16", [4], 8)}, "x-1.safetensors")
    write_safetensors({"a": ("F16", [4], 8)}, "x-2.safetensors")
    with pytest.raises(BadInput, match="as well"):
        read_safetensors(tmp_path)


def test_a_directory_without_weights_says_what_to_do(tmp_path: Path):
    with pytest.raises(BadInput, match="download the weights"):
        read_safetensors(tmp_path)
