"""Opening a model by whatever names it."""

from __future__ import annotations

import datetime
import json
import tomllib
from types import SimpleNamespace

import gguf
import pytest

from planner.documents.deployment import ModelTable
from planner.documents.files import parse_deployment
from planner.errors import BadInput, UnknownArchitecture, UnknownName
from planner.library import Library
from planner.models.catalogue import Catalogue
from planner.models.intake import open_model
from planner.models.parameters import count_parameters
from planner.predict import predict
from tests.models_files.conftest import entry, safetensors_bytes, write_gguf
from tests.models_files.test_gguf import LLAMA, llama_tensors

LIBRARY = SimpleNamespace(catalogue=Catalogue())
TINY = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 64, "intermediate_size": 128,
    "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 256,
    "tie_word_embeddings": False, "torch_dtype": "bfloat16",
}  # fmt: skip


def tiny_tensors() -> dict[str, list[int]]:
    layer = {
        "input_layernorm.weight": [64], "post_attention_layernorm.weight": [64], "self_attn.q_proj.weight": [64, 64],
        "self_attn.k_proj.weight": [32, 64], "self_attn.v_proj.weight": [32, 64], "self_attn.o_proj.weight": [64, 64],
        "mlp.gate_proj.weight": [128, 64], "mlp.up_proj.weight": [128, 64], "mlp.down_proj.weight": [64, 128],
    }  # fmt: skip
    named = {f"model.layers.{n}.{name}": shape for n in range(2) for name, shape in layer.items()}
    return named | {"model.embed_tokens.weight": [256, 64], "lm_head.weight": [256, 64], "model.norm.weight": [64]}


@pytest.fixture
def directory(tmp_path):
    folder = tmp_path / "tiny-llama"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(TINY))
    header, at = {}, 0
    for name, shape in tiny_tensors().items():
        size = 2 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[name] = entry("BF16", shape, at, at + size)
        at += size
    (folder / "model.safetensors").write_bytes(safetensors_bytes(header, at))
    return folder


def test_a_catalogue_name_carries_its_row_and_scheme():
    source = open_model("deepseek-r1", LIBRARY)
    assert source.id == "deepseek-ai/DeepSeek-R1"
    assert source.row is not None
    assert source.quantization.scheme == "fp8-block"
    assert source.config["kv_lora_rank"] == 512


def test_headers_and_formula_agree_to_the_byte(directory):
    source = open_model(str(directory), LIBRARY)
    assert source.id == "tiny-llama"
    assert source.exact_bytes == 2 * count_parameters(source.architecture).total
    assert source.problems == ()


def test_a_document_may_name_path_config_or_id(directory):
    by_path = open_model(ModelTable(id="my/name", path=str(directory)), LIBRARY)
    by_file = open_model(ModelTable(config=str(directory / "config.json")), LIBRARY)
    inline = open_model(ModelTable(id="deepseek-ai/DeepSeek-R1", config=TINY), LIBRARY)
    by_id = open_model(ModelTable(id="QWEN3-32B"), LIBRARY)
    assert by_path.id == "my/name"
    assert by_path.architecture == by_file.architecture == inline.architecture
    assert inline.row is None, "an inline config is not looked up"
    assert by_id.id == "Qwen/Qwen3-32B"


def test_a_conversion_that_kept_its_quantization_config_is_read_as_its_files_are(directory):
    stale = {"quant_method": "fp8", "weight_block_size": [128, 128], "activation_scheme": "dynamic"}
    (directory / "config.json").write_text(json.dumps({**TINY, "quantization_config": stale}))
    source = open_model(str(directory), LIBRARY)
    assert source.architecture.quantization.scheme == "fp8-block"
    assert source.quantization.scheme == "none"
    assert source.problems == ("config.json names fp8-block weights, the files hold only BF16",)
    text = f'schema = "deploy-planner/deployment/1"\n[model]\npath = "{directory}"\n[hardware]\naccelerator = "h100"'
    rules = {f.rule for f in predict(parse_deployment(tomllib.loads(text), "x"), Library()).problems}
    assert "quantization-config-left" in rules


def test_a_missing_shard_is_told_with_every_answer(directory):
    index = {"weight_map": {name: "model.safetensors" for name in tiny_tensors()} | {"extra.weight": "two.safetensors"}}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index))
    document = {"schema": "deploy-planner/deployment/1", "model": {"path": str(directory)}}
    findings = predict(parse_deployment({**document, "hardware": {"accelerator": "h100"}}, "x"), Library()).problems
    assert [(f.rule, f.message) for f in findings if f.fix] == [("model-files", "two.safetensors is missing")]


def test_problems_of_a_config_name_its_file(directory):
    (directory / "config.json").write_text(json.dumps({**TINY, "quantization_config": {"quant_method": "new"}}))
    with pytest.raises(BadInput, match=r"tiny-llama/config\.json: quantization_config"):
        open_model(str(directory), LIBRARY)
    stated = open_model(ModelTable(path=str(directory), weights="gptq-int4"), LIBRARY)
    assert stated.architecture.quantization is None, "as the message advises"


def test_modelopt_scheme_beside_the_config(directory):
    scheme = {"quantization": {"quant_algo": "NVFP4", "group_size": 16, "exclude_modules": ["lm_head"]}}
    (directory / "model.safetensors").unlink()
    (directory / "hf_quant_config.json").write_text(json.dumps({"producer": {"name": "modelopt"}, **scheme}))
    assert open_model(str(directory), LIBRARY).quantization.scheme == "nvfp4"


def test_missing_shards_are_told_and_no_exact_size_is_claimed(directory):
    names = list(tiny_tensors())
    index = {"weight_map": dict.fromkeys(names, "model.safetensors") | {"lm_head.weight": "model-2.safetensors"}}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index))
    source = open_model(str(directory), LIBRARY)
    assert source.exact_bytes is None
    assert "model-2.safetensors is missing" in source.problems


def test_a_config_without_weights_says_that_sizes_are_computed(directory):
    (directory / "model.safetensors").unlink()
    source = open_model(str(directory), LIBRARY)
    assert source.exact_bytes is None
    assert "computed from config.json" in source.problems[0]


def test_gguf_file_and_directory(tmp_path):
    path = write_gguf(tmp_path / "tiny.gguf", "llama", LLAMA, llama_tensors())
    write_gguf(tmp_path / "mmproj-tiny.gguf", "clip", {}, {"v.x": ((4, 32), gguf.GGMLQuantizationType.F16)})
    for reference in (str(path), str(tmp_path)):
        source = open_model(reference, LIBRARY)
        assert source.id == "Tiny Llama"
        assert source.exact_bytes == source.gguf.tensor_bytes
        assert source.quantization.scheme.startswith("gguf:")


def test_several_gguf_models_in_a_directory_ask_for_one(tmp_path):
    for name in ("a", "b"):
        write_gguf(tmp_path / f"{name}.gguf", "llama", LLAMA, llama_tensors())
    with pytest.raises(BadInput, match="name one of the files"):
        open_model(str(tmp_path), LIBRARY)


ODD_NAMES = [
    "../../../etc/passwd", "/etc/passwd", "/dev/zero", "/proc/self/mem", "~/../../x", "; rm -rf /", "$(touch /tmp/x)",
    "`id`", "a\0b", "a\nb", "deepseek-r1\n; rm", "x" * 100_000, "", " ", ".", "..", "%s%n", "C:\\Windows",
    "ｄｅｅｐ", "\ud800", "file:///etc/passwd", "http://example.com/model", "model.gguf", "../config.json", "🤖" * 50,
]  # fmt: skip


@pytest.mark.parametrize("name", ODD_NAMES, ids=range(len(ODD_NAMES)))
def test_odd_names_are_data(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput) as caught:
        open_model(name, LIBRARY)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1500
    assert list(tmp_path.iterdir()) == []


def test_a_miss_names_the_nearest_and_a_next_step():
    with pytest.raises(UnknownName) as caught:
        open_model("qwen3-23b", LIBRARY)
    assert any(name.startswith("Qwen/Qwen3") for name, _ in caught.value.nearest)
    with pytest.raises(BadInput, match="deploy-planner models"):
        open_model("./no-such-directory", LIBRARY)


def test_a_directory_without_a_model_says_what_one_holds(tmp_path):
    (tmp_path / "README.md").write_text("hello")
    with pytest.raises(BadInput, match=r"config\.json"):
        open_model(str(tmp_path), LIBRARY)


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "null", '{"a": 1', "NaN", '{"x": ' + "[" * 100_000, '{"n": 1' + "0" * 5000 + "}", "\xff"]
)
def test_configs_that_are_none_are_refused(directory, text):
    (directory / "config.json").write_text(text, encoding="latin-1")
    with pytest.raises(BadInput) as caught:
        open_model(str(directory), LIBRARY)
    assert "\n" not in str(caught.value)


def test_a_config_of_another_kind_is_named_not_guessed(directory):
    (directory / "config.json").write_text(json.dumps({"name": "webpack", "version": "1.0"}))
    with pytest.raises((UnknownArchitecture, BadInput)):
        open_model(str(directory), LIBRARY)


def test_a_document_without_a_model_is_refused():
    with pytest.raises(BadInput, match=r"set model\.id"):
        open_model(ModelTable(), LIBRARY)


def test_an_inline_config_with_a_date_is_refused():
    """TOML has dates, config.json has none."""
    with pytest.raises(BadInput, match="values that JSON has not"):
        open_model(ModelTable(config={**TINY, "released": datetime.date(2026, 1, 1)}), LIBRARY)
