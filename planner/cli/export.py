"""``deploy-planner export``: the files that start a deployment."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from planner.cli.options import add_overlay_option, library_of
from planner.documents.files import read_deployment, write_whole
from planner.errors import BadInput, Exit
from planner.export.registry import MODULES, target, targets
from planner.export.target import Options
from planner.units import GIGA

if TYPE_CHECKING:
    from planner.export.bundle import Bundle
    from planner.export.target import Context

_EPILOG = """
Without -o one target's main file goes to stdout. With -o a bundle is written: the targets' files, the deployment,
README.md, airgap.json and MANIFEST.json; all of it or nothing.

examples:
  deploy-planner export deployment.toml                                  the document with its estimate
  deploy-planner export deployment.toml --target vllm                    the start script
  deploy-planner export deployment.toml --target kubernetes --target bench -o out/r1
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("deployment", nargs="?", help="a deployment document (TOML)")
    parser.add_argument(
        "--target",
        action="append",
        choices=sorted(MODULES),
        metavar="NAME",
        help="what to write (repeatable; default: toml)",
    )
    parser.add_argument("-o", "--output", metavar="DIR", help="folder to write into; without it, to stdout")
    parser.add_argument("--force", action="store_true", help="overwrite an earlier bundle or document")
    parser.add_argument("--diff", action="store_true", help="show what -o would change, and write nothing")
    parser.add_argument("--list", action="store_true", help="the targets, what suits them, and what checked each")
    _add_place(parser.add_argument_group("where it runs"))
    _add_cluster(parser.add_argument_group("clusters and networks"))
    add_overlay_option(parser)


def _add_place(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--model-path", metavar="PATH", help="where the weights lie on the serving machines")
    group.add_argument("--served-name", metavar="NAME", help="name that clients ask for (default: model.id)")
    group.add_argument("--port", type=_port, metavar="N", help="port to listen on (default: the engine's)")
    group.add_argument("--listen", metavar="ADDRESS", help="address to listen on (default: 127.0.0.1)")
    group.add_argument("--image", metavar="REPOSITORY:TAG", help="container image instead of the published one")
    group.add_argument("--digest", metavar="sha256:…", help="digest that pins the image")
    group.add_argument("--user", type=int, default=10001, metavar="UID", help="user that containers run as")
    group.add_argument("--disk-gb-s", type=_positive, metavar="N", help="how fast the model's storage reads, GB/s")
    group.add_argument("--power-limit", type=_positive, metavar="WATTS", help="power limit of each device (systemd)")


def _add_cluster(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--inventory", metavar="FILE", help="take network interfaces from an inventory document")
    group.add_argument("--interface", metavar="NAME", help="network interface between nodes (eth0, bond0)")
    group.add_argument("--ib-devices", metavar="LIST", help="RDMA devices (mlx5_0,mlx5_1)")
    group.add_argument("--rdma-resource", metavar="NAME", help="of the RDMA device plug-in (rdma/hca_shared_devices_a)")
    group.add_argument("--namespace", metavar="NAME", help="Kubernetes namespace")
    group.add_argument("--storage-class", metavar="NAME", help="of the model's volume claim")
    group.add_argument("--claim", metavar="NAME", help="an existing volume claim that holds the model")
    group.add_argument(
        "--node-selector",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="label of nodes it may run on (repeatable)",
    )
    group.add_argument("--partition", metavar="NAME", help="Slurm partition")


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError("must be a positive number")
    return value


def _port(text: str) -> int:
    value = int(text)
    if not 0 < value < 65536:
        raise argparse.ArgumentTypeError("must be 1 … 65535")
    return value


def run(args: argparse.Namespace) -> int:
    if args.list:
        print(_listing())
        return Exit.OK
    if args.deployment is None:
        raise BadInput("export", "no deployment given", "name a TOML file, or use --list")
    if args.diff and (args.output is None or set(args.target or ["toml"]) == {"toml"}):
        raise BadInput("--diff", "compares a bundle with a folder", "name targets, and the folder with -o")
    from planner.export.prepare import prepare

    context = prepare(read_deployment(Path(args.deployment)), library_of(args), _options(args))
    names = args.target or ["toml"]
    legal = _to_stdout(context, names) if args.output is None else _to_folder(context, names, args)
    for problem in context.estimate.problems:
        _say(problem.severity, problem.message, problem.fix)
    return Exit.NOTHING_FITS if context.estimate.verdict in ("does-not-fit", "illegal") or not legal else Exit.OK


def _options(args: argparse.Namespace) -> Options:
    options = Options(
        model_path=args.model_path,
        image=args.image,
        digest=args.digest,
        port=args.port,
        listen=args.listen,
        served_name=args.served_name,
        interface=args.interface,
        ib_devices=args.ib_devices,
        rdma_resource=args.rdma_resource,
        namespace=args.namespace,
        storage_class=args.storage_class,
        claim=args.claim,
        node_selector=tuple(_pair(text) for text in args.node_selector),
        partition=args.partition,
        disk_bytes_s=args.disk_gb_s * GIGA if args.disk_gb_s else None,
        user=args.user,
        power_limit_w=args.power_limit,
    )
    if args.inventory is None:
        return options
    from planner.detect.spec import load_hardware
    from planner.export.prepare import network_options

    return network_options(options, load_hardware(args.inventory, library_of(args).database))


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise BadInput("--node-selector", f"is not KEY=VALUE: {text[:80]!r}")
    return key, value


def _to_stdout(context: Context, names: list[str]) -> bool:
    from planner.export.bundle import target_files

    if len(names) > 1 or not target(names[0]).main:
        raise BadInput("export", f"{', '.join(names)} are several files", "name a folder with -o")
    files = target_files(context, names[0])
    main = target(names[0]).main
    sys.stdout.write(files.get(main) or next(iter(files.values())))
    if len(files) > 1:
        print(f"deploy-planner: {len(files) - 1} more file(s); -o DIR writes them all", file=sys.stderr)
    return _report(context, names)


def _to_folder(context: Context, names: list[str], args: argparse.Namespace) -> bool:
    from planner.export.bundle import render_bundle, target_files
    from planner.export.prepare import model_files
    from planner.export.write import write_bundle

    folder = Path(args.output)
    if names == ["toml"]:
        path = folder / target("toml").main
        write_whole(path, target_files(context, "toml")[path.name], overwrite=args.force)
        print(f"wrote {path}", file=sys.stderr)
        return True
    bundle = render_bundle(context, names, model_files(context))
    if args.diff:
        return _show_changes(folder, bundle, args.force) and _report(context, names)
    for path in write_bundle(folder, bundle, overwrite=args.force):
        print(f"wrote {path}", file=sys.stderr)
    return _report(context, names)


def _show_changes(folder: Path, bundle: Bundle, force: bool) -> bool:
    """The difference on stdout, a line a file on stderr."""
    from planner.export.preview import changes
    from planner.export.write import refusal

    for change in changes(folder, bundle):
        print(f"deploy-planner: {change.kind:<8}{change.path}", file=sys.stderr)
        if change.diff:
            print(change.diff)
    reason = refusal(folder, overwrite=force)
    if reason is not None:
        print(f"deploy-planner: it would not be written: {reason}", file=sys.stderr)
    return reason is None


def _report(context: Context, names: list[str]) -> bool:
    """What the engine cannot be told, on stderr. False when something of the plan is lost."""
    if names == ["toml"]:
        return True
    for finding in context.findings:
        _say(finding.severity, finding.message, finding.fix)
    return not any(finding.severity == "error" for finding in context.findings)


def _say(severity: str, message: str, fix: str) -> None:
    print(f"deploy-planner: {severity}: {message}" + (f" — {fix}" if fix else ""), file=sys.stderr)


def _listing() -> str:
    from planner.export.checks import checked_by

    lines = []
    for item in targets():
        suits = (
            ", ".join(item.engines or item.trainers) or "every engine" if item.job != "finetune" else "training jobs"
        )
        lines.append(f"{item.name:<16} {item.about}\n{'':<16} for {suits}; checked by")
        lines += [f"{'':<18}- {line}" for line in checked_by(item)]
    return "\n".join(lines)
