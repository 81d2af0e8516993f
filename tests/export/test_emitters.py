"""What writers write, real readers read back."""

from __future__ import annotations

import shlex
import subprocess

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import BadInput
from planner.export.emit.shell import shell_command, shell_word
from planner.export.emit.systemd import exec_word
from planner.export.emit.words import Ref, env_value, label, plain_text
from planner.export.emit.yaml import yaml_text
from planner.export.pod import kubernetes_word
from planner.export.targets.docker_run import csv_field

NASTY = (
    "", " ", "yes", "No", "null", "~", "1e3", "0x1f", "12:30:45", "- a", "a: b", "a #b", "#a",
    "&a", "*a", "!a", "|", ">",
    "%i %h", "$(reboot)", "`id`", "${HOME}", "$HOME", "a'b\"c", "\\", "\\n", "line\nbreak",
    "tab\tbed", "\x00", "\x85", "\u2028",
    "\ufeff", "é", "模型", "🙂", "--flag", "-", "=",
    "[a]", "{a}", "@x", "a ", " a", "1_000", ".inf", "0o17", "<<", "y",
)  # fmt: skip
text = st.text(max_size=40) | st.sampled_from(NASTY)
scalars = text | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4), max_leaves=20
)


def is_yaml(value: object) -> bool:
    """Code points that YAML can hold; lone surrogates are no text."""
    return "\\ud" not in ascii(value)


@settings(max_examples=60, deadline=None)
@given(documents.filter(is_yaml))
def test_yaml_is_read_back_as_it_was(document: object) -> None:
    assert yaml.safe_load(yaml_text(document)) == document


@pytest.mark.parametrize("value", NASTY)
def test_nasty_text_survives_yaml_in_every_place(value: str) -> None:
    document = {"a": {value: [value, {"b": value}]}}
    assert yaml.safe_load(yaml_text(document)) == document


def test_several_documents_and_blocks() -> None:
    config = {"data": {"extra.yaml": "a: 1\nb:\n  c: 2\n"}}
    assert list(yaml.safe_load_all(yaml_text(config, {"x": []}))) == [config, {"x": []}]
    assert "|" in yaml_text(config)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_number_that_is_none_leaves(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        yaml_text({"a": value})


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40))
def test_a_shell_word_is_one_word(value: str) -> None:
    assert shlex.split(shell_word(value)) == [value]


def test_bash_sees_the_words_and_the_variables() -> None:
    values = [v for v in NASTY if "\x00" not in v]
    command = shell_command(["--name", *values, ("pre ", Ref("WHO"), ":5000")], program=["printf", "%s\\0"])
    done = subprocess.run(["bash", "-c", command], env={"WHO": "a b"}, capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == ["--name", *values, "pre a b:5000"]


def test_systemd_kubernetes_and_docker_escapes() -> None:
    assert exec_word("100% of $HOME") == '"100%% of $$HOME"'
    assert exec_word('a"b\\c d') == '"a\\"b\\\\c d"'
    assert exec_word(Ref("RANK")) == '"${RANK}"'
    assert kubernetes_word(("$(A) ", Ref("B"), "$")) == "$$(A) $(B)$$"
    assert csv_field('source=/a,b"c') == '"source=/a,b""c"'


@pytest.mark.parametrize("value", ["a b", "$(id)", "a\nb", 'a"b', "a'b", "a;b", "a\\b", "`x`", "#"])
def test_environment_files_take_no_text_that_readers_disagree_on(value: str) -> None:
    with pytest.raises(BadInput):
        env_value(value, "interface")


@pytest.mark.parametrize("value", ["a\nb", "a\x1bb", "\x00", "x" * 5000, "\ud800", "a\u2028b"])
def test_unprintable_names_are_refused(value: str) -> None:
    with pytest.raises(BadInput):
        plain_text(value, "model.id")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_labels_are_dns_labels(value: str) -> None:
    made = label(value)
    assert made and len(made) <= 40 and made[0].isalpha() and made[-1].isalnum()
    assert all(c.isascii() and (c.islower() or c.isdigit() or c == "-") for c in made)
