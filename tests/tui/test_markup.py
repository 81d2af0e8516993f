"""What people and files call things is text: brackets in it are shown, and never read as markup."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.conftest import app_on, running, screen_text, settled, until
from tui.panes.export import ExportPane
from tui.panes.model import ModelPane

TUI = Path(__file__).parents[2] / "tui"
HOSTILE = "[bold]x[", "[/]", "[@click=app.quit]a[/", "[link=x", "a]b[red"
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "num_hidden_layers": 16,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "torch_dtype": "bfloat16",
}


def model_in(folder: Path) -> str:
    """A model directory."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    return str(folder) + "/"


@pytest.mark.parametrize("name", [name for name in HOSTILE if "/" not in name])
async def test_a_model_path_with_brackets_is_planned_shown_and_exported(name: str, tmp_path: Path) -> None:
    path = model_in(tmp_path / name)
    app = app_on()
    async with running(app, (200, 60)) as pilot:
        app._change({"model": path})
        await settled(pilot)
        assert app.session.best is not None, app.session.failure
        for key in "2345":
            await pilot.press(key)
            await settled(pilot)
        assert name in app.walk.query_one(ModelPane)._border_subtitle.plain
        await until(pilot, lambda: app.walk.query_one(ExportPane)._found is not None)
        assert name in "".join(screen_text(app).split())


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_path_that_is_not_there_is_refused_in_plain_words(name: str) -> None:
    app = app_on()
    async with running(app, (200, 60)) as pilot:
        app._change({"model": f"/tmp/{name}/no-such"})
        await settled(pilot)
        await pilot.press("2")
        await pilot.pause()
        assert name in app.walk.query_one(ModelPane)._border_subtitle.plain
        assert app.session.failure is not None and name in app.session.failure


@pytest.mark.parametrize("name", HOSTILE)
async def test_toasts_show_brackets_whoever_forgot_them(name: str) -> None:
    app = app_on()
    async with running(app, (120, 40)) as pilot:
        app.notify(f"Saved: {name}", title=name, timeout=60)
        app.walk.notify(f"Changed: {name}", timeout=60)
        await pilot.pause()
        followed = {said.message: said.markup for said in app._notifications}
        assert followed[f"Saved: {name}"] is False and followed[f"Changed: {name}"] is False


def titles_set(path: Path) -> Iterator[tuple[int, ast.expr]]:
    """What is assigned to the titles of borders, which the toolkit reads as markup."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            pairs = zip(target.elts, node.value.elts, strict=True) if isinstance(target, ast.Tuple) and isinstance(
                node.value, ast.Tuple) else [(target, node.value)]  # fmt: skip
            for place, value in pairs:
                if isinstance(place, ast.Attribute) and place.attr in ("border_title", "border_subtitle"):
                    yield node.lineno, value


def test_titles_of_borders_are_our_own_words_or_said_to_be_text() -> None:
    def ours(value: ast.expr) -> bool:
        said = isinstance(value, ast.Call) and getattr(value.func, "id", "") == "Content"
        fixed = (
            isinstance(value, ast.Attribute | ast.Name) and getattr(value, "attr", getattr(value, "id", "")).isupper()
        )
        return said or fixed or (isinstance(value, ast.Constant) and "[" not in str(value.value))

    found = [(path.name, line) for path in TUI.rglob("*.py") for line, value in titles_set(path) if not ours(value)]
    assert found == []
    assert sum(1 for path in TUI.rglob("*.py") for _ in titles_set(path)) > 8
