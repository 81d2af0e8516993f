"""docs/keys.md, made from the app: ``python -m docs.make_keys``."""

from __future__ import annotations

from pathlib import Path

from tui.key_catalogue import declared_keys

PAGE = Path(__file__).with_name("keys.md")
HEAD = """# Keys

Made by `python -m docs.make_keys`. Keys of the place that has the focus win over those of the step, these over the
app's. `F1` shows what works where you are, `Ctrl+P` finds every command.

Other keys: `keys.toml` in `~/.config/deploy-planner/` (or `$XDG_CONFIG_HOME/deploy-planner/`). What cannot be used is
said when the app starts, and keeps its default.

```toml
[keys]
"app.pin" = "ctrl+k"
"walk.next" = "n,space"
```

| id | keys | does |
|---|---|---|
"""


def keys_text() -> str:
    """The page."""
    rows = sorted(declared_keys(), key=lambda item: item.id)
    return (
        HEAD + "\n".join(f"| `{k.id}` | {' '.join(f'`{key}`' for key in k.keys)} | {k.tooltip} |" for k in rows) + "\n"
    )


if __name__ == "__main__":
    PAGE.write_text(keys_text(), encoding="utf-8")
