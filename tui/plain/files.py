"""The files that start what was chosen, and afterwards what the engine printed beside what was planned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from planner.errors import PlannerError
from tui.export_bundle import document_name, pool_names
from tui.export_file import DEFAULT_NAME, written
from tui.paths import expanded
from tui.plain.ask import Choice, choose, confirmed, line, several
from tui.plain.journey import Journey

if TYPE_CHECKING:
    from planner.export.target import Context

POOLS = "This fleet has two kinds of servers. Which is written now?"
POOLS_ABOUT = "Each kind is a deployment of its own, behind one gateway; write one, then more files for the other."
DOCUMENT, FOLDER = "toml", "deployment"
ABOUT = (
    "The document alone is a TOML file with the deployment and its figures. The others write a folder: the document, "
    "the files that start it, a README, and lists of what an air-gapped room needs."
)


def export(journey: Journey) -> str:
    """What to write, and where."""
    from planner.documents.files import parse_deployment
    from planner.export.prepare import prepare

    pool = _pool(journey)
    context = prepare(parse_deployment(journey.deployment, "plan"), journey.library)
    names = several(journey.talk, "Step 6, files to write", _targets(context), default=DOCUMENT, about=ABOUT)
    write = _document if names == (DOCUMENT,) else _bundle
    done = write(journey, context, names, pool)
    if done is None:
        return "export"
    journey.pools_written += [pool] if pool else []
    journey.written.append(done)
    _next_commands(journey, context, done)
    return "verify" if context.deployment.finetune is None else "more"


def _pool(journey: Journey) -> str:
    """The word for the kind of servers that is written, where the fleet has two; the first that was not yet."""
    if not journey.pools:
        return ""
    names = pool_names([deployment for _, deployment in journey.pools])
    choices = [
        Choice(name, f"{name}, {share:.0%} of the load", "its share of the load is its weight in the gateway")
        for name, (share, _) in zip(names, journey.pools, strict=True)
    ]
    left = [name for name in names if name not in journey.pools_written]
    name = choose(journey.talk, POOLS, choices, default=(left or names)[0], about=POOLS_ABOUT)
    journey.deployment = journey.pools[names.index(name)][1]
    return name


def _targets(context: Context) -> list[Choice]:
    from planner.export.registry import applicable, target

    suited = [target(name) for name in applicable(context) if name != DOCUMENT]
    about = target(DOCUMENT).about
    return [
        Choice(DOCUMENT, "the document alone", about),
        *(Choice(t.name, f"{t.name}: {t.about}", f"checked by {t.checked_by}") for t in suited),
    ]


def _document(journey: Journey, context: Context, names: tuple[str, ...], pool: str) -> Path | None:
    """A TOML file; one that exists is replaced only when that is said."""
    from planner.documents.files import deployment_toml
    from planner.export.document import with_estimate

    text = deployment_toml(with_estimate(context.deployment, context.estimate))
    about = "The file's name; a folder before it must exist. b goes back to the list."
    path = expanded(line(journey.talk, "File to write.", default=document_name(pool), about=about))
    done = written(path, text, overwrite=False)
    if done.exists and confirmed(journey.talk, f"{path} exists. Replace it?"):
        done = written(path, text, overwrite=True)
    if not done.ok:
        journey.talk.say("Not written." if done.exists else done.words.removeprefix("✗ "))
        return None
    journey.talk.say(f"Wrote {path.resolve()}")
    return path


def _bundle(journey: Journey, context: Context, names: tuple[str, ...], pool: str) -> Path | None:
    """A folder with all that was chosen, whole or not at all."""
    from planner.export.bundle import render_bundle
    from planner.export.prepare import model_files
    from planner.export.write import write_bundle

    about = "The folder's name; it must be new, empty, or hold an earlier bundle."
    path = expanded(line(journey.talk, "Folder to write.", default=f"{FOLDER}-{pool}" if pool else FOLDER, about=about))
    held = path.is_dir() and any(path.iterdir())
    try:
        bundle = render_bundle(context, names, model_files(context))
        if held and not confirmed(journey.talk, f"{path} holds files already. Replace an earlier bundle there?"):
            journey.talk.say("Not written.")
            return None
        for file in write_bundle(path, bundle, overwrite=held):
            journey.talk.say(f"Wrote {file}")
    except (PlannerError, OSError, ValueError) as error:
        journey.talk.say(f"Not written: {error}")
        return None
    for finding in bundle.findings:
        journey.talk.say(f"{finding.severity.capitalize()}: {finding.message}. {finding.fix}".rstrip())
    return path


def _next_commands(journey: Journey, context: Context, done: Path) -> None:
    """What to run, and which lines the engine should print when the plan comes true."""
    from planner.export.expected import expected_lines

    document = done / DEFAULT_NAME if done.is_dir() else done
    journey.talk.heading("Next commands")
    if done != document:
        journey.talk.say(f"Read {done / 'README.md'}: it says how to start.")
    journey.talk.say(f"deploy-planner doctor {document}")
    if context.deployment.finetune is not None:
        return
    journey.talk.say(f"deploy-planner verify {document} --log LOGFILE")
    expected = expected_lines(context)
    if expected:
        journey.talk.say("The engine should print:")
    for said, accepted in expected:
        journey.talk.say(f"{said}" + (f" (accept {accepted})" if accepted else ""))


def verify(journey: Journey) -> str:
    """An engine's log beside the plan; Enter leaves it out."""
    about = "The start-up log that the engine wrote, or a saved /metrics page. Nothing is changed by looking."
    name = line(journey.talk, "\nStep 7, verify. Path of the engine's log, Enter leaves this out:", about=about)
    if not name:
        return "more"
    try:
        journey.talk.say(_compared(journey, expanded(name)))
    except (PlannerError, OSError, ValueError) as error:
        journey.talk.say(f"Not compared: {error}")
    return "verify"


def _compared(journey: Journey, path: Path) -> str:
    from planner.cli.verify_table import verification_table
    from planner.documents.files import parse_deployment
    from planner.verify.source import read_source
    from planner.verify.verification import verify as compared

    text = read_source(str(path))
    return verification_table(compared(parse_deployment(journey.deployment, "plan"), text, journey.library))
