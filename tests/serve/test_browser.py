"""The app in headless Chromium: it loads without any network, keys work, a plan is exported."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.documents.files import read_deployment
from tests.serve.browser import CHROMIUM, page_of
from tests.serve.conftest import serving

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: the page is not tested")


async def test_from_the_page_to_a_file_by_keys_alone(tmp_path: Path) -> None:
    with serving(tmp_path, "--token") as served:
        async with page_of(served.address, tmp_path) as page:
            await page.until("1 Hardware", "4 Plans ✓")
            assert await page.evaluate("location.search") == "", "the token has left the address"
            for key, words in (("Enter", "Search"), ("3", "Users at once"), ("4", "Ranked"), ("5", "schema = ")):
                page.forget()
                await page.press(key)
                await page.until(words)
            page.forget()
            await page.press("w")
            await page.until("Wrote")
            assert not page.troubles
            assert page.addresses and all(f"127.0.0.1:{served.port}/" in address for address in page.addresses)
            assert await page.evaluate("document.fonts.check('16px \"Roboto Mono\"')")
        assert read_deployment(tmp_path / "deployment.toml").model.id


async def test_the_end_of_a_session_is_said_and_another_can_be_started(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        async with page_of(served.address, tmp_path) as page:
            await page.until("1 Hardware")
            await page.press("q")
            await page.until_true("getComputedStyle(document.getElementById('ended')).display == 'block'")
            page.forget()
            await page.evaluate("document.getElementById('again').click()")
            await page.until("1 Hardware")


async def test_a_page_without_the_token_says_what_is_missing(tmp_path: Path) -> None:
    with serving(tmp_path, "--token") as served:
        async with page_of(served.root, tmp_path) as page:
            await page.until_true("document.body && document.body.innerText.includes('A token is needed')")
