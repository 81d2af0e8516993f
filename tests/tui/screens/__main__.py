"""Draw every screen and keep it: ``python -m tests.tui.screens`` after a change of the app, then look at the diff.

    python -m tests.tui.screens                      draw anew, keep in tests/tui/screens/kept
    python -m tests.tui.screens --pictures FOLDER    also as pictures (SVG) to look at

A frame is kept as text: its characters, then its styles (``frames.py``). That is all that a picture holds, in a
twentieth of its size, and a change reads as a diff. Nothing is asked of the planner: its answers are recorded
(``record.py``).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.tui.screens.frames import pictured
from tests.tui.screens.kept import KEPT, place_of
from tests.tui.screens.play import drawn, jobs, painters


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.tui.screens", description="Draw and keep every screen.")
    parser.add_argument("--pictures", metavar="FOLDER", type=Path, help="write an SVG of each here, too")
    pictures = parser.parse_args().pictures
    found = draw_all()
    changed = [place for place, text in found.items() if not place.exists() or place.read_text("utf-8") != text]
    stale = sorted(set(KEPT.rglob("*.txt")) - set(found))
    for place in stale:
        place.unlink()
    for place in changed:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(found[place], encoding="utf-8")
    for place, text in found.items() if pictures else ():
        picture = (pictures / place.relative_to(KEPT)).with_suffix(".svg")
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_text(pictured(text, place.stem), encoding="utf-8")
    print(f"{len(found)} screens, {len(changed)} changed, {len(stale)} gone")


def draw_all() -> dict[Path, str]:
    """Where each frame is kept → the frame as it is drawn now."""
    with painters() as pool:
        waiting = [(look, pool.submit(drawn, look, walk)) for look, walk in jobs()]
        return {place_of(look, name): text for look, job in waiting for name, text in job.result().items()}


if __name__ == "__main__":
    main()
