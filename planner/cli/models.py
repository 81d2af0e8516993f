"""``deploy-planner models``: the catalogue of models, each number with its source; also models on disk."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from planner.cli.options import add_overlay_option, library_of
from planner.errors import Exit, UnknownName

if TYPE_CHECKING:
    from planner.library import Library
    from planner.models.catalogue import Catalogue
    from planner.models.catalogue_row import CatalogueModel

SCHEMA = "deploy-planner/models/1"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "query", nargs="*", metavar="QUERY", help="a model (one in full), words (a list), or a path; nothing lists all"
    )
    parser.add_argument("--json", action="store_true", help="the rows as JSON, with sources, checkpoints and configs")
    parser.add_argument("--family", metavar="NAME", help="only this family: deepseek, llama, qwen, glm …")
    parser.add_argument("--licence", metavar="NAME", help="only this licence (apache-2.0, mit …) or yes|conditions|no")
    parser.add_argument("--use", metavar="NAME", help="only for this use: chat, code, reasoning, vision, embedding …")
    add_overlay_option(parser)
    parser.epilog = (
        "examples:\n"
        "  deploy-planner models deepseek-r1          one model, every number with its source\n"
        "  deploy-planner models qwen 235b            a list, most capable first\n"
        "  deploy-planner models --licence yes        free for commercial use\n"
        "  deploy-planner models ./my-model           a directory with config.json, or a .gguf file\n"
    )


def run(args: argparse.Namespace) -> int:
    library = library_of(args)
    query = " ".join(args.query).strip()
    filters = (args.family, args.licence, args.use)
    local = _local(query, library.catalogue) if query and not any(filters) else None
    if local is not None:
        sys.stdout.write(_local_text(local, library, args.json) + "\n")
        return Exit.OK
    found = _find(library.catalogue, query, filters)
    sys.stdout.write((_json(query, found) if args.json else _text(query, found, library.catalogue)) + "\n")
    return Exit.OK


def _local(query: str, catalogue: Catalogue) -> str | None:
    """The query when it means something on disk."""
    from planner.models.intake import looks_like_path

    return query if catalogue.find(query) is None and looks_like_path(query) else None


def _find(
    catalogue: Catalogue, query: str, filters: tuple[str | None, str | None, str | None]
) -> tuple[CatalogueModel, ...]:
    one = catalogue.find(query) if query and not any(filters) else None
    if one is not None:
        return (one,)
    found = tuple(m for m in catalogue.search(query) if _wanted(m, *filters))
    if not found:
        named = " ".join(filter(None, (query, *filters)))
        raise UnknownName("model", named, catalogue.nearest(query) if query else ())
    return found


def _wanted(model: CatalogueModel, family: str | None, licence: str | None, use: str | None) -> bool:
    return (
        (family is None or model.family == family.lower())
        and (licence is None or licence.lower() in {(model.licence or "").lower(), model.commercial_use})
        and (use is None or use.lower() in model.uses)
    )


def _json(query: str, found: tuple[CatalogueModel, ...]) -> str:
    from planner.documents.encode import to_json, to_plain

    rows = []
    for model in found:
        row = to_plain(model)
        del row["config_text"]
        rows.append({**row, "tier": model.tier, "prominence": round(model.prominence, 1), "config": model.config})
    return to_json({"schema": SCHEMA, "query": query, "rows": rows})


def _text(query: str, found: tuple[CatalogueModel, ...], catalogue: Catalogue) -> str:
    from planner.cli.models_page import listing, page

    return page(found[0], catalogue) if len(found) == 1 and query else listing(found)


def _local_text(query: str, library: Library, as_json: bool) -> str:
    from planner.cli.models_page import source_page, source_plain
    from planner.documents.encode import to_json
    from planner.models.intake import open_model

    source = open_model(query, library)
    if as_json:
        return to_json({"schema": SCHEMA, "query": query, "rows": [source_plain(source)]})
    return source_page(source)
