"""Headers of GGUF files: what the reference writer wrote comes back exactly; hostile files are refused."""

from __future__ import annotations

import itertools
import struct
import tracemalloc

import gguf
import pytest

from planner.errors import BadInput, UnknownArchitecture
from planner.models.gguf import read_gguf
from planner.models.gguf_config import config_of
from planner.models.gguf_header import LongArray
from planner.models.parameters import count_parameters
from tests.models_files.conftest import write_gguf

Q = gguf.GGMLQuantizationType
LLAMA = {
    "llama.embedding_length": 256,
    "llama.block_count": 2,
    "llama.context_length": 4096,
    "llama.feed_forward_length": 512,
    "llama.attention.head_count": 8,
    "llama.attention.head_count_kv": 2,
    "general.name": "Tiny Llama",
    "general.file_type": 15,
}
DENSE = {
    "attn_norm.weight": ((256,), Q.F32),
    "ffn_norm.weight": ((256,), Q.F32),
    "attn_q.weight": ((256, 256), Q.Q4_K),
    "attn_k.weight": ((64, 256), Q.Q4_K),
    "attn_v.weight": ((64, 256), Q.Q6_K),
    "attn_output.weight": ((256, 256), Q.Q4_K),
    "ffn_gate.weight": ((512, 256), Q.Q4_K),
    "ffn_up.weight": ((512, 256), Q.Q4_K),
    "ffn_down.weight": ((256, 512), Q.Q6_K),
}


def llama_tensors(vocab: int = 1000, head: bool = True) -> dict[str, tuple[tuple[int, ...], Q]]:
    layers = {f"blk.{n}.{name}": tensor for n in range(2) for name, tensor in DENSE.items()}
    outside = {"token_embd.weight": ((vocab, 256), Q.Q4_K), "output_norm.weight": ((256,), Q.F32)}
    return layers | outside | ({"output.weight": ((vocab, 256), Q.Q6_K)} if head else {})


@pytest.fixture
def llama_file(tmp_path):
    vocabulary = {"tokenizer.ggml.tokens": [f"t{n}" for n in range(20_000)], "tokenizer.ggml.scores": [0.5] * 20_000}
    return write_gguf(tmp_path / "tiny.gguf", "llama", LLAMA | vocabulary, llama_tensors())


def test_everything_the_reference_writer_wrote_comes_back(llama_file):
    found, truth = read_gguf(llama_file), gguf.GGUFReader(llama_file)
    assert {t.name: (t.type, list(t.shape), t.bytes) for t in found.tensors} == {
        t.name: (t.tensor_type.name, t.shape.tolist(), int(t.n_bytes)) for t in truth.tensors
    }
    assert found.tensor_bytes == sum(int(t.n_bytes) for t in truth.tensors)
    assert (found.name, found.architecture_name, found.mix, found.version) == ("Tiny Llama", "llama", "Q4_K_M", 3)
    assert found.metadata["tokenizer.ggml.tokens"] == LongArray(20_000)
    assert found.metadata["tokenizer.ggml.scores"] == LongArray(20_000)
    assert found.file_bytes == llama_file.stat().st_size


def test_sizes_of_every_type_are_those_of_the_reference_package(tmp_path):
    from planner.data import read_toml

    ours = {name: (block, size) for name, block, size in read_toml("models/gguf.toml")["types"].values()}
    for kind, sizes in gguf.GGML_QUANT_SIZES.items():
        assert ours[kind.name] == tuple(sizes)


def test_the_architecture_counts_what_the_file_stores(llama_file):
    found = read_gguf(llama_file)
    architecture = found.architecture
    assert architecture.doubts == ()
    assert count_parameters(architecture).total == sum(t.numel for t in found.tensors)
    assert (architecture.vocab_size, architecture.max_position, architecture.num_layers) == (1000, 4096, 2)
    assert found.quantization.scheme.startswith("gguf:Q4_K_M")


def test_no_output_tensor_means_tied_embeddings(tmp_path):
    path = write_gguf(tmp_path / "tied.gguf", "llama", LLAMA, llama_tensors(head=False))
    assert read_gguf(path).architecture.tied_embeddings


def test_metadata_that_contradicts_the_tensors_is_a_doubt(tmp_path):
    path = write_gguf(tmp_path / "odd.gguf", "llama", LLAMA | {"llama.feed_forward_length": 4096}, llama_tensors())
    assert "parameters" in read_gguf(path).architecture.doubts[0]


def test_an_architecture_without_translation_says_what_is_known(tmp_path):
    path = write_gguf(tmp_path / "x.gguf", "rwkv9", {"rwkv9.block_count": 3}, {"token_embd.weight": ((8, 32), Q.F16)})
    found = read_gguf(path)
    assert found.tensor_bytes == 512
    with pytest.raises(UnknownArchitecture, match="rwkv9") as caught:
        _ = found.architecture
    assert caught.value.known["block_count"] == 3
    assert caught.value.known["bytes"] == 512


def test_deepseek_sizes_old_and_new_style(tmp_path):
    common = {
        "deepseek2.embedding_length": 7168, "deepseek2.block_count": 62, "deepseek2.nextn_predict_layers": 1,
        "deepseek2.attention.head_count": 128, "deepseek2.attention.kv_lora_rank": 512,
        "deepseek2.attention.q_lora_rank": 1536, "deepseek2.rope.dimension_count": 64,
        "deepseek2.expert_count": 256, "deepseek2.expert_gating_func": 2, "deepseek2.leading_dense_block_count": 3,
    }  # fmt: skip
    old = {
        "deepseek2.attention.head_count_kv": 128,
        "deepseek2.attention.key_length": 192,
        "deepseek2.attention.value_length": 128,
    }
    new = {
        "deepseek2.attention.head_count_kv": 1,
        "deepseek2.attention.key_length": 576,
        "deepseek2.attention.value_length": 512,
        "deepseek2.attention.key_length_mla": 192,
        "deepseek2.attention.value_length_mla": 128,
    }
    tensors = {"token_embd.weight": ((64, 32), Q.F16)}
    configs = [
        config_of(read_gguf(write_gguf(tmp_path / f"{n}.gguf", "deepseek2", common | style, tensors)))
        for n, style in enumerate((old, new))
    ]
    assert configs[0] == configs[1]
    assert configs[0]["model_type"] == "deepseek_v3"
    wanted = {"qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "kv_lora_rank": 512}
    assert wanted.items() <= configs[0].items()
    assert (configs[0]["num_hidden_layers"], configs[0]["num_nextn_predict_layers"]) == (61, 1)


def test_per_layer_lists_become_patterns(tmp_path):
    nemotron = {
        "nemotron_h.block_count": 4, "nemotron_h.embedding_length": 64, "nemotron_h.attention.head_count": 8,
        "nemotron_h.attention.head_count_kv": [0, 0, 2, 0], "nemotron_h.feed_forward_length": [0, 128, 0, 128],
    }  # fmt: skip
    path = write_gguf(tmp_path / "n.gguf", "nemotron_h", nemotron, {"token_embd.weight": ((64, 64), Q.F16)})
    config = config_of(read_gguf(path))
    assert config["hybrid_override_pattern"] == "M-*-"
    assert (config["num_key_value_heads"], config["intermediate_size"]) == (2, 128)


@pytest.fixture
def parts(tmp_path, llama_file):
    tensors = list(llama_tensors().items())
    names = [f"big-{n:05}-of-00003.gguf" for n in (1, 2, 3)]
    for index, name in enumerate(names):
        chosen = dict(tensors[index::3])
        split = {"split.no": index, "split.count": 3, "split.tensors.count": len(tensors)}
        write_gguf(tmp_path / name, "llama", (LLAMA if index == 0 else {}) | split, chosen)
    return [tmp_path / name for name in names]


def test_split_files_are_read_as_one_whichever_part_is_named(parts, llama_file):
    whole = {t.name: t.bytes for t in read_gguf(llama_file).tensors}
    for part in parts:
        found = read_gguf(part)
        assert {t.name: t.bytes for t in found.tensors} == whole
        assert (found.name, found.missing) == ("Tiny Llama", ())
        assert found.path == parts[0]


def test_a_missing_part_is_named(parts):
    parts[1].unlink()
    assert read_gguf(parts[0]).missing == ("big-00002-of-00003.gguf",)
    parts[0].unlink()
    with pytest.raises(BadInput, match="first part is missing"):
        read_gguf(parts[2])


def test_every_truncation_is_refused(tmp_path, llama_file):
    whole = llama_file.read_bytes()
    path = tmp_path / "cut.gguf"
    for keep in itertools.chain(range(0, 400, 11), range(400, len(whole), len(whole) // 25)):
        path.write_bytes(whole[:keep])
        with pytest.raises(BadInput):
            read_gguf(path)


def u32(value: int) -> bytes:
    return struct.pack("<I", value)


def u64(value: int) -> bytes:
    return struct.pack("<Q", value)


def text(value: bytes) -> bytes:
    return u64(len(value)) + value


def head(tensors: int, keys: int, version: int = 3) -> bytes:
    return b"GGUF" + u32(version) + u64(tensors) + u64(keys)


def tensor(name: bytes, shape: list[int], kind: int, offset: int) -> bytes:
    return text(name) + u32(len(shape)) + b"".join(map(u64, shape)) + u32(kind) + u64(offset)


PAD = b"\0" * 256
HOSTILE = {
    "empty": b"",
    "wrong magic": b"GGML" + u32(3) + PAD,
    "big-endian": b"GGUF" + struct.pack(">I", 3) + PAD,
    "version 1": head(0, 0, 1) + PAD,
    "version 9": head(0, 0, 9) + PAD,
    "2^63 tensors": head(1 << 63, 0) + PAD,
    "2^63 keys": head(0, 1 << 63) + PAD,
    "a million keys in 300 bytes": head(0, 60_000) + PAD,
    "huge key": head(0, 1) + u64(1 << 62) + PAD,
    "huge string": head(0, 1) + text(b"k") + u32(8) + u64(1 << 60) + PAD,
    "huge array": head(0, 1) + text(b"k") + u32(9) + u32(4) + u64(1 << 60) + PAD,
    "huge array of strings": head(0, 1) + text(b"k") + u32(9) + u32(8) + u64(1 << 60) + PAD,
    "arrays in arrays": head(0, 1) + text(b"k") + (u32(9) + u64(1)) * 9 + PAD,
    "unknown value type": head(0, 1) + text(b"k") + u32(77) + PAD,
    "key twice": head(0, 2) + (text(b"k") + u32(4) + u32(1)) * 2 + PAD,
    "alignment 0": head(0, 1) + text(b"general.alignment") + u32(4) + u32(0) + PAD,
    "unknown tensor type": head(1, 0) + tensor(b"t", [32], 99, 0) + PAD,
    "a thousand dimensions": head(1, 0) + tensor(b"t", [1] * 1000, 0, 0) + PAD,
    "shape overflow": head(1, 0) + tensor(b"t", [1 << 40, 1 << 40], 0, 0) + PAD,
    "block does not divide": head(1, 0) + tensor(b"t", [33], 8, 0) + PAD,
    "data beyond the file": head(1, 0) + tensor(b"t", [4096], 0, 0) + PAD,
    "overlap": head(2, 0) + tensor(b"a", [8], 0, 0) + tensor(b"b", [8], 0, 16) + PAD,
    "tensor twice": head(2, 0) + tensor(b"a", [8], 0, 0) + tensor(b"a", [8], 0, 32) + PAD,
    "odd name": head(1, 0) + tensor(b"../\n\0; rm -rf", [32], 99, 0) + PAD,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_refused_in_one_line_without_allocating(tmp_path, content):
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(BadInput) as caught:
        read_gguf(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "\n" not in str(caught.value)
    assert peak < 10_000_000


def test_a_part_under_another_name_is_refused(tmp_path):
    split = LLAMA | {"split.no": 0, "split.count": 3}
    path = write_gguf(tmp_path / "renamed.gguf", "llama", split, llama_tensors())
    with pytest.raises(BadInput, match="one of 3 parts"):
        read_gguf(path)
