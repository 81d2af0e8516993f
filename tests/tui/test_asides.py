"""Export as a checklist, and the screens beside the walk: cost, verify, a copy of the hardware to edit; the plots."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from textual.widgets import Input

from planner.account.request import Assumptions
from planner.documents.files import parse_deployment
from planner.predict import predict
from tests.tui.conftest import LIBRARY, app_on, inventory_of, running, screen_text, settled, until
from tui.catalogue_view import View, formats_of, models_of
from tui.modals.cost import CostScreen
from tui.modals.rig import RigScreen
from tui.modals.verify import VerifyScreen
from tui.panes.plans import PlansPane
from tui.plots import curve_of, field_of, holds_words
from tui.session import Session
from tui.simulate import Rig, rig_of, rigged
from tui.topology import drawing
from tui.widgets.key_line import PALETTE, KeyLine
from tui.widgets.listing import Listing
from tui.widgets.number import NumberField

SIZES = ((80, 24), (120, 40), (200, 60))


async def test_several_targets_are_a_folder_with_what_to_run_and_expect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: app.session.rendered is not None)
        listing = app.walk.query_one("#targets", Listing)
        engine = next(t.name for t in app.session.rendered.targets if t.name != "toml")  # type: ignore[union-attr]
        listing.focus()
        listing.go_to(f"target:{engine}")
        await pilot.press("space")
        await pilot.pause()
        place = app.walk.query_one("#export-path", Input)
        assert place.value == "deepseek-r1", "a folder is named after the model"
        assert any(key.startswith("file:README") for key in listing.listed)
        assert listing.listed[f"file:{engine}/serve.sh"].cells["state"] == "new"
        await pilot.press("w")
        await until(pilot, lambda: "Run now" in screen_text(app))
        assert "./serve.sh" in screen_text(app)
        folder = tmp_path / "deepseek-r1"
        assert tomllib.loads((folder / "deployment.toml").read_text())["model"]["id"] == "deepseek-ai/DeepSeek-R1"
        (folder / engine / "serve.sh").write_text("#!/bin/sh\n")
        await pilot.press("escape")
        await until(pilot, lambda: "+" in listing.listed[f"file:{engine}/serve.sh"].cells["state"])
        await pilot.press("w")
        await until(pilot, lambda: "w again replaces it" in " ".join(screen_text(app).split()))
        assert (folder / engine / "serve.sh").read_text() == "#!/bin/sh\n"
        await pilot.press("w")
        await until(pilot, lambda: (folder / engine / "serve.sh").read_text() != "#!/bin/sh\n")


async def test_what_does_not_suit_is_listed_with_its_reason_and_cannot_be_marked() -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: app.session.rendered is not None)
        listing = app.walk.query_one("#targets", Listing)
        unsuited = next(t for t in app.session.rendered.targets if t.reason)  # type: ignore[union-attr]
        listing.focus()
        listing.go_to(f"target:{unsuited.name}")
        await pilot.press("space")
        await pilot.pause()
        assert unsuited.reason.split()[0] in screen_text(app)
        assert listing.listed[f"target:{unsuited.name}"].dim


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_cost_follows_its_assumptions_and_names_its_sources(size: tuple[int, int]) -> None:
    app = app_on()
    async with running(app, size) as pilot:
        await pilot.press("4", "dollar_sign")
        await until(pilot, lambda: isinstance(app.screen, CostScreen))
        listing = app.screen.query_one(Listing)
        await until(pilot, lambda: "owned-month" in listing.listed)
        before = listing.listed["month-depreciation"].cells["value"]
        app.screen.query_one("#number-years").focus()
        await pilot.press("9", "enter")
        await until(pilot, lambda: listing.listed["month-depreciation"].cells["value"] != before)
        assert app.session.assumed.years == 9
        listing.focus()
        listing.go_to("buy-devices")
        await pilot.press("question_mark")
        await until(pilot, lambda: "202" in screen_text(app) and "devices" in screen_text(app))
        await pilot.press("escape")
        await pilot.pause()
        keys = str(app.screen.query_one(KeyLine).render())
        assert keys.endswith(PALETTE) and len(keys) <= size[0] - 2
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is app.walk


async def test_prices_of_a_person_go_before_ours_and_are_called_theirs() -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("4", "dollar_sign")
        await until(pilot, lambda: isinstance(app.screen, CostScreen))
        listing = app.screen.query_one(Listing)
        await until(pilot, lambda: "buy-devices" in listing.listed)
        kwh, devices = app.screen.query_one("#number-kwh", NumberField), app.screen.query_one("#number-purchase")
        assert kwh.default == "12", "the dated price of the data, in cents"
        before = listing.listed["month-electricity"].cells["value"], listing.listed["buy-devices"].cells["value"]
        kwh.focus()
        await pilot.press("3", "0", "enter")
        devices.focus()
        await pilot.press(*"12345", "enter")
        assert app.session.assumed == Assumptions(kwh=0.3, purchase=12345.0)
        await until(pilot, lambda: listing.listed["buy-devices"].cells["value"] != before[1])
        assert listing.listed["month-electricity"].cells["value"] != before[0]
        found = listing.explainer("buy-devices", "value")
        assert found is not None and any("said by you" in note for note in found.notes)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.walk)
        await pilot.press("dollar_sign")
        await until(pilot, lambda: app.screen.query("#number-kwh").first(NumberField).value == 30)


def printed_log(deployment: dict[str, object]) -> str:
    """What vLLM would print if the plan came true, but for weights that are 30 % larger."""
    memory = predict(parse_deployment(deployment, "test"), LIBRARY).memory
    assert memory is not None
    gib = memory.per_gpu.weights.value * 1.3 / 2**30
    return (
        "INFO 11-01 10:00:00 [__init__.py:1] vLLM API server version 0.33.0\n"
        f"INFO 11-01 10:00:01 [gpu_model_runner.py:1] Model loading took {gib:.4f} GiB memory and 10.0 seconds\n"
        f"INFO 11-01 10:00:02 [kv_cache_utils.py:1] GPU KV cache size: {memory.kv_tokens.value:,.0f} tokens\n"
    )


async def test_a_log_is_held_against_the_plan_and_kept_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    app = app_on()
    async with running(app) as pilot:
        app._change({"engine": "vllm"})
        await settled(pilot)
        assert app.session.best is not None
        log = tmp_path / "start up.log"
        log.write_text(printed_log(app.session.best.deployment))
        await pilot.press("4", "v")
        await until(pilot, lambda: isinstance(app.screen, VerifyScreen))
        app.screen.query_one(Input).value = str(log)
        await pilot.press("enter")
        await until(pilot, lambda: app.session.compared is not None)
        await until(pilot, lambda: "▲ above" in screen_text(app))
        assert "weights" in screen_text(app)
        await pilot.press("k")
        await until(pilot, lambda: "Kept" in screen_text(app) or "Nothing was kept" in screen_text(app))
        kept = tmp_path / "config" / "deploy-planner" / "calibration.toml"
        assert kept.exists() == ("Kept" in screen_text(app))
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is app.walk


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff\xfe" * 1000, b"# TYPE x\n" * 5, b"INFO nothing known\n", b"{" * 5000]
)
async def test_hostile_logs_are_answered_in_words(tmp_path: Path, content: bytes) -> None:
    app = app_on()
    path = tmp_path / "log"
    path.write_bytes(content)
    async with running(app) as pilot:
        await pilot.press("v")
        for source in (str(path), str(tmp_path), "/no/such; rm -rf $HOME", "http://127.0.0.1:1/metrics"):
            app.screen.query_one(Input).value = source
            app.screen.query_one(Input).focus()
            await pilot.press("enter")
            await until(pilot, lambda: "reading" not in screen_text(app))
            assert "cannot be" in screen_text(app) or "Nothing to compare" in screen_text(app)
        assert app.is_running


async def test_a_copy_of_the_hardware_is_edited_while_the_answer_follows() -> None:
    app = app_on()
    async with running(app) as pilot:
        before = app.session.draft.inventory
        await pilot.press("E")
        await until(pilot, lambda: isinstance(app.screen, RigScreen))
        await pilot.press("4", "enter")
        await until(pilot, lambda: len(app.session.draft.inventory.nodes[0].devices) == 4)  # type: ignore[union-attr]
        await settled(pilot)
        app.screen.query_one(Input).focus()
        app.screen.query_one(Input).value = "no-such-card"
        await pilot.press("enter")
        await until(pilot, lambda: "unknown accelerator" in screen_text(app))
        app.screen.query_one(Input).value = "mi300x"
        await pilot.press("enter")
        await until(pilot, lambda: "MI300X" in screen_text(app))
        await pilot.press("escape", "u", "u")
        await settled(pilot)
        assert app.session.draft.inventory == before


def test_an_edited_copy_is_simulated_and_keeps_the_host() -> None:
    inventory = inventory_of("8xH200")
    rig = rig_of(inventory)
    assert rig == Rig("h200-sxm-141gb", 8, 1, rig.memory_gib, "nvlink4")
    changed = rigged(inventory, Rig("h200-sxm-141gb", 2, 3, 96, "pcie5-x16"), LIBRARY)
    node = changed.nodes[0]
    assert (len(node.devices), node.count, node.link, changed.origin) == (2, 3, "pcie5-x16", "simulated")
    assert {d.free_bytes for d in node.devices} == {96 * 2**30} and node.host == inventory.nodes[0].host
    assert rigged(inventory, Rig("", 1, 1, None, ""), LIBRARY).nodes[0].link is None


def test_links_are_drawn_as_islands() -> None:
    pairs = [
        ["X", "NV12", "SYS", "SYS"],
        ["NV12", "X", "SYS", "SYS"],
        ["SYS", "SYS", "X", "NV12"],
        ["SYS", "SYS", "NV12", "X"],
    ]
    lines = list(drawing(pairs, None, 4))
    assert lines[0].startswith("0══1   2══3") and "NV12" in lines[0]
    assert lines[1].startswith("└──────┘") and "SYS between" in lines[1]
    alike = [["X" if i == j else "NV18" for j in range(8)] for i in range(8)]
    assert "NV18, every pair" in list(drawing(alike, None, 8))[1]
    assert "nvlink4" in list(drawing((), "nvlink4", 2))[1]
    assert not list(drawing((), None, 8)) and not list(drawing(alike, None, 1)) and not list(drawing(alike, None, 3))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_plots_are_readable_without_colour(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = app_on()
    async with running(app, size) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: bool(app.walk.query(PlansPane)))
        await pilot.press("l")
        await until(pilot, lambda: app.session.load_curve is not None)
        await until(pilot, lambda: "requests in flight" in screen_text(app))
        shown = screen_text(app)
        curve = curve_of(app.session)
        assert curve is not None and "+" in shown and "•" in shown and "promise" in shown
        assert curve.holds_to is not None and f"up to {curve.holds_to:,}" in holds_words(curve)
        if size[1] == 24:
            await pilot.press("l")
            await until(pilot, lambda: app.walk.query_one("#load-curve").display)
            assert app.walk.query_one("#load-curve").has_focus_within or app.walk.query_one("#plans").has_focus_within
        await pilot.press("T", "T")
        await pilot.pause()
        await pilot.press("o")
        field = field_of(app.session)
        assert field is not None
        await until(pilot, lambda: field.x_label in screen_text(app))
        assert any("*" in spot.label for spot in field.spots)


async def test_a_plot_drawn_again_is_the_same() -> None:
    """Focus, a resize or another theme draws it anew; plotext changes the figure that it builds."""
    from tui.widgets.plot import CurvePlot

    app = app_on()
    async with running(app, (120, 40)) as pilot:
        await pilot.press("4", "l")
        await until(pilot, lambda: bool(app.walk.query(CurvePlot)) and "requests in flight" in screen_text(app))
        plot = app.walk.query_one(CurvePlot)
        first = plot.render().plain
        assert first == plot.render().plain and "512" in first
        plot.focus()
        await pilot.press("T", "T", "T")
        await pilot.pause()
        assert app.walk.query_one(CurvePlot).render().plain == first


def test_nothing_known_is_nothing_drawn() -> None:
    assert curve_of(Session()) is None and field_of(Session()) is None


async def test_models_by_use_format_and_family() -> None:
    app = app_on()
    async with running(app, (120, 40)) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: app.session.catalogue is not None)
        await pilot.press("down", "F")
        await pilot.pause()
        listing = app.walk.query_one("#models", Listing)
        catalogue = app.session.catalogue
        assert catalogue is not None
        families = {catalogue.find(key).family for key in listing.listed if catalogue.find(key)}  # type: ignore[union-attr]
        assert len(families) == 1 and f"[F {families.pop()}]" in screen_text(app)
        await pilot.press("escape", "U", "P")
        await pilot.pause()
        shown = [catalogue.find(key) for key in listing.listed]
        view_words = screen_text(app)
        assert all(model is None or model.uses for model in shown) and "[U " in view_words and "[P " in view_words
        await pilot.press("l")
        await pilot.pause()
        assert app.walk.query_one("#model-search", Input).value == "./"
        found = models_of(app.session, View(precision="fp8", use="code"))
        assert found and all("fp8" in formats_of(m) and "code" in m.uses for m in found)


async def test_a_site_is_kept_under_a_name_and_opened_by_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("s")
        app.screen.query_one(Input).value = "gpu-07"
        await pilot.press("enter")
        kept = tmp_path / "deploy-planner" / "sites" / "gpu-07.json"
        await until(pilot, kept.is_file)
        assert json.loads(kept.read_text())["nodes"]
        await pilot.press("o")
        await until(pilot, lambda: "gpu-07" in screen_text(app))
        app.screen.query_one(Input).value = "gpu-07"
        await pilot.press("enter")
        await until(pilot, lambda: app.session.draft.site.startswith("gpu-07"))
