"""systemd: a unit an instance, and one that caps the devices' power where a limit was asked for.

The units run the start script of the bundle, so that the flags stand in one place and need no second kind of escaping.
"""

from __future__ import annotations

from planner.export.emit.shell import script
from planner.export.emit.systemd import Section, exec_line, unit_text
from planner.export.target import Context, Target
from planner.export.targets.engine import engine_files
from planner.export.targets.ollama import ollama_files

TARGET = Target(
    name="systemd",
    about="service units, environment file, install script; power-cap unit",
    except_engines=("mlx", "mindie", "optimum-habana"),
    platforms=("nvidia", "amd", "intel", "gaudi", "ascend", "cpu", "moore-threads"),
    main="",
)
USER = "llm"
"""System account that install.sh makes."""
_FILES = "1048576"
_STACK = "67108864"


def render(context: Context) -> dict[str, str]:
    """``<name>.service`` (one an instance), what it runs, ``install.sh``, a power-cap unit."""
    files = _started(context)
    scripts = sorted(name for name in files if name.startswith("serve"))
    units = {_unit_name(context, name): _unit(context, name) for name in scripts}
    if context.options.power_limit_w and context.platform.power_cap:
        units[f"{context.location.label}-power-cap.service"] = _power_cap(context)
    return {**files, **units, "install.sh": _install(context, sorted(files), sorted(units))}


def _started(context: Context) -> dict[str, str]:
    if context.resolved.engine.name == "ollama":
        return ollama_files(context)
    from planner.export.container import extra_files

    return {**engine_files(context), **extra_files(context)}


def _folder(context: Context) -> str:
    return f"/opt/{context.location.label}"


def _unit_name(context: Context, started: str) -> str:
    return context.location.label + started.removeprefix("serve").removesuffix(".sh") + ".service"


def _groups(context: Context) -> list[str]:
    """Of the host, that may open the device files."""
    platform = context.platform
    return [*platform.groups, *platform.unit_groups, *(["render"] if platform.group_variables else [])]


def _unit(context: Context, started: str) -> str:
    platform, folder, label = context.platform, _folder(context), context.location.label
    after = " ".join(["network-online.target", *platform.host_units])
    unit = [
        ("Description", f"{context.resolved.engine.name} {_plain(context)}"),
        ("After", after),
        ("Wants", "network-online.target"),
        ("StartLimitIntervalSec", "3600"),
        ("StartLimitBurst", "5"),
    ]
    service = [
        ("Type", "exec"),
        ("User", USER),
        ("Group", USER),
        ("SupplementaryGroups", " ".join(_groups(context))),
        ("WorkingDirectory", folder),
        ("EnvironmentFile", f"{folder}/env"),
        ("EnvironmentFile", f"-/etc/{label}/secrets.env"),
        ("Environment", f"HOME=/var/cache/{label} XDG_CACHE_HOME=/var/cache/{label}"),
        ("CacheDirectory", label),
        ("ExecStart", exec_line(["/bin/bash", f"{folder}/{started}"])),
        ("TimeoutStartSec", str(context.timing.patience_s)),
        ("TimeoutStopSec", "120"),
        ("KillMode", "mixed"),
        ("Restart", "on-failure"),
        ("RestartSec", "30"),
        ("LimitMEMLOCK", "infinity"),
        ("LimitNOFILE", _FILES),
        ("LimitSTACK", _STACK),
        ("NoNewPrivileges", "yes"),
        ("PrivateTmp", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "read-only"),
        ("ReadWritePaths", f"/var/cache/{label}"),
    ]
    sections: list[Section] = [
        ("Unit", unit),
        ("Service", [(k, v) for k, v in service if v]),
        ("Install", [("WantedBy", "multi-user.target")]),
    ]
    return unit_text(*sections)


def _plain(context: Context) -> str:
    """The engine's version for the description: free of specifiers."""
    return "".join(c for c in context.resolved.engine.version if c.isalnum() or c in "._+-")


def _power_cap(context: Context) -> str:
    watts = f"{context.options.power_limit_w:g}"
    command = [word.format(watts=watts) for word in context.platform.power_cap]
    unit = [("Description", f"Power limit of {watts} W a device")]
    if context.platform.power_cap_after:
        unit.append(("After", context.platform.power_cap_after))
    service = [("Type", "oneshot"), ("ExecStart", exec_line(command)), ("RemainAfterExit", "yes")]
    return unit_text(("Unit", unit), ("Service", service), ("Install", [("WantedBy", "multi-user.target")]))


def _install(context: Context, files: list[str], units: list[str]) -> str:
    """Copies the files, makes the account, enables the units. To be read first, then run as root."""
    folder, label = _folder(context), context.location.label
    groups = _groups(context)
    add = f" --groups {','.join(groups)}" if groups else ""
    return script(
        'here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)',
        f"id -u {USER} >/dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin{add} {USER}",
        f"install -d -m 0755 {folder}",
        f"install -d -m 0750 -o root -g {USER} /etc/{label}",
        *(f'install -m {"0755" if n.endswith(".sh") else "0644"} "$here/{n}" {folder}/{n}' for n in files),
        *(f'install -m 0644 "$here/{n}" /etc/systemd/system/{n}' for n in units),
        "systemctl daemon-reload",
        f"systemctl enable --now {' '.join(units)}",
        comment="run as root; the API key, if any, goes into /etc/" + f"{label}/secrets.env (mode 0640)",
    )
