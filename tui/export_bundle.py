"""Everything that a deployment can be written as: each target with its files, the bundle of those that are chosen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from tui.export_file import DEFAULT_NAME, Difference, Written, difference, written

if TYPE_CHECKING:
    from planner.documents.result import PlannedDeployment
    from planner.export.target import Context
    from planner.library import Library

DOCUMENT = "toml"


@dataclass(frozen=True, slots=True)
class TargetFiles:
    """One target: its files, or why there are none."""

    name: str
    about: str
    checked_by: str
    files: Mapping[str, str]
    """By the path below the target's folder, the main one first."""
    reason: str = ""
    """Why it does not suit the deployment; empty where it does."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A deployment as every target would write it."""

    plan: PlannedDeployment
    context: Context
    targets: tuple[TargetFiles, ...]

    def of(self, name: str) -> TargetFiles | None:
        return next((target for target in self.targets if target.name == name), None)


def rendered(plan: PlannedDeployment, library: Library) -> Rendered:
    """Every target that suits the plan, then those that do not. Raises PlannerError."""
    from planner.documents.files import parse_deployment
    from planner.export.prepare import prepare
    from planner.export.registry import targets

    context = prepare(parse_deployment(plan.deployment, "plan"), library)
    found = [_files_of(target.name, context) for target in targets()]
    return Rendered(plan, context, tuple(sorted(found, key=lambda target: bool(target.reason))))


def _files_of(name: str, context: Context) -> TargetFiles:
    from planner.errors import PlannerError
    from planner.export.bundle import target_files
    from planner.export.checks import checked_by
    from planner.export.registry import target
    from planner.export.target import unsuitable

    row = target(name)
    readers, reason = ", ".join(filter(None, checked_by(row))), unsuitable(row, context)
    if reason is not None:
        return TargetFiles(name, row.about, readers, {}, reason)
    try:
        files = target_files(context, name)
    except PlannerError as error:
        return TargetFiles(name, row.about, readers, {}, str(error).splitlines()[0])
    order = sorted(files, key=lambda path: (path != row.main, path))
    return TargetFiles(name, row.about, readers, {path: files[path] for path in order})


def bundle_files(found: Rendered, names: Sequence[str]) -> Mapping[str, str]:
    """Path below the destination → text. One document alone is a file, anything more is a folder."""
    if set(names) <= {DOCUMENT}:
        document = found.of(DOCUMENT)
        return {DEFAULT_NAME: next(iter(document.files.values()))} if document and document.files else {}
    from planner.export.bundle import render_bundle
    from planner.export.prepare import model_files

    return render_bundle(found.context, names, model_files(found.context)).files


def written_bundle(found: Rendered, names: Sequence[str], place: Path, *, overwrite: bool) -> Written:
    """Write what was chosen; what exists is only replaced when that was asked for."""
    if set(names) <= {DOCUMENT}:
        return written(place, bundle_files(found, names)[DEFAULT_NAME], overwrite=overwrite)
    from planner.errors import BadInput
    from planner.export.bundle import render_bundle
    from planner.export.prepare import model_files
    from planner.export.write import write_bundle

    try:
        bundle = render_bundle(found.context, names, model_files(found.context))
        paths = write_bundle(place, bundle, overwrite=overwrite)
    except BadInput as error:
        problem = error.problems[0]
        earlier = not overwrite and "holds a bundle already" in problem.message
        way = "w again replaces it; / names another folder" if earlier else problem.fix.replace(" with -o", "")
        return Written(False, f"{'~' if earlier else '✗'} {place} {problem.message}: {way}", exists=earlier)
    return Written(True, f"✓ Wrote {len(paths)} files into {place.resolve()}")


def state_of(place: Path, path: str, text: str, *, single: bool) -> tuple[str, Difference | None]:
    """``new``, ``same`` or ``+3 −1`` against the file on disk, and the difference."""
    where = place if single else place / path
    found = difference(where, text)
    if found is None:
        return ("not text" if where.exists() else "new"), None
    return found.short, found


def next_steps(found: Rendered, names: Sequence[str], place: Path) -> Iterator[str]:
    """What to run now, and what the log should say."""
    from planner.export.readme import how_to_run

    chosen = [name for name in names if name != DOCUMENT]
    document = quote(str(place / DEFAULT_NAME if chosen else place))
    yield "Run now"
    for name in chosen:
        yield f"  cd {quote(str(place / name))}"
        yield from (f"  {command}" for command in _commands(how_to_run(name)))
    if not chosen:
        yield f"  deploy-planner estimate {document}"
    yield f"  deploy-planner doctor {document}"
    yield f"  deploy-planner verify {document} --log LOG   # or v here"
    yield from _expected(found)


def _expected(found: Rendered) -> Iterator[str]:
    from planner.export.expected import expected_lines

    if found.context.deployment.finetune is not None:
        return
    lines = expected_lines(found.context)
    if lines:
        yield ""
        yield "The log should say about"
    for line, accept in lines:
        yield f"  {line}" + (f"   ({accept})" if accept else "")


def _commands(markdown: str) -> list[str]:
    """What stands in backticks; the sentence itself where nothing does."""
    return re.findall(r"`([^`]+)`", markdown) or [markdown]


def pool_names(deployments: Sequence[Mapping[str, Any]]) -> list[str]:
    """A word for each pool of a fleet: its accelerator, with its place where two have the same."""
    words = [str(deployment.get("hardware", {}).get("accelerator") or "pool") for deployment in deployments]
    return [word if words.count(word) == 1 else f"{word}-{place}" for place, word in enumerate(words, 1)]


def document_name(pool: str) -> str:
    """``deployment.toml``; with the pool's word where there are several."""
    stem, dot, suffix = DEFAULT_NAME.rpartition(".")
    return f"{stem}-{pool}{dot}{suffix}" if pool else DEFAULT_NAME


def folder_name(plan: PlannedDeployment) -> str:
    """``deepseek-r1``: letters, digits, dots and dashes of the model's name."""
    from tui.text import model_of

    kept = "".join(c if c.isascii() and (c.isalnum() or c in ".-") else "-" for c in model_of(plan).lower())
    return kept.strip(".-") or "deployment"
