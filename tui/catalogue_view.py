"""The catalogue as rows of a table: searched, filtered, ordered, with how each model does on this hardware."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.units import GIGA, MEGA, TERA, human_bytes
from tui.explain import Explanation
from tui.fits import Fit
from tui.rows import Row
from tui.text import tokens

if TYPE_CHECKING:
    from planner.models.catalogue_row import CatalogueModel
    from tui.session import Session

BEST = "(best that fits)"
ORDERS = ("capability", "size", "released", "name")
USABLE = ("✓", "~")
LEAVE_IT = "Leave the choice to the planner: the most capable model of the catalogue that fits."


@dataclass(frozen=True, slots=True)
class View:
    """What of the catalogue is listed, and in which order."""

    search: str = ""
    fitting: bool = False
    commercial: bool = False
    relatives_of: str = ""
    family: str = ""
    use: str = ""
    precision: str = ""
    order: str = "capability"

    @property
    def chips(self) -> str:
        """Every filter with its key; brackets mark those that are on."""
        chips = (
            ("f fits", self.fitting),
            ("c commercial", self.commercial),
            (f"U {self.use or 'use'}", self.use),
            (f"P {self.precision or 'format'}", self.precision),
            (f"F {self.family or 'family'}", self.family),
            (f"o by {self.order}", False),
        )
        return "".join(f"[{words}]" if on else f" {words} " for words, on in chips).strip()

    @property
    def words(self) -> str:
        """For the title; empty for the whole list in its usual order."""
        parts = [f"relatives of {self.relatives_of.rpartition('/')[2]}"] if self.relatives_of else []
        parts += ["what fits"] if self.fitting else []
        parts += ["commercial use"] if self.commercial else []
        parts += [part for part in (self.family, self.use, self.precision) if part]
        parts += [f"by {self.order}"] if self.order != ORDERS[0] else []
        return ", ".join(parts)


_KEYS: dict[str, Callable[[CatalogueModel], tuple[object, ...]]] = {
    "size": lambda m: (-(m.parameters_total or 0), m.id),
    "released": lambda m: (*(-int(part) for part in (m.released or "0").split("-")),),
    "name": lambda m: (m.short_name.lower(), m.id),
}


def rows_of(session: Session, view: View) -> Iterator[Row]:
    """The rows of a view; the planner's own choice stands first, where the walk can do without a model."""
    if session.draft.purpose == "serve":
        yield Row(BEST, {"mark": _any_fits(session), "name": BEST}, LEAVE_IT)
    for model in models_of(session, view):
        yield row_of(model, session.fits.get(model.id))


def _any_fits(session: Session) -> str:
    """Whether the planner, left to itself, found anything; nothing while that is not known."""
    if session.plan is None or not session.current or session.draft.model is not None:
        return " "
    return "✓" if session.plan.candidates else "✗"


def rows_for(session: Session, ids: Iterable[str]) -> Iterator[Row]:
    """The rows of some models."""
    for id_ in ids:
        model = session.catalogue.find(id_) if session.catalogue else None
        if model is not None:
            yield row_of(model, session.fits.get(id_))


def models_of(session: Session, view: View) -> list[CatalogueModel]:
    """The models of a view, in its order."""
    catalogue = session.catalogue
    if catalogue is None:
        return []
    path_like = view.search.startswith(("/", ".", "~"))
    found = catalogue.search("" if path_like else view.search)
    if view.relatives_of and (centre := catalogue.find(view.relatives_of)):
        family = {model.id for model in (centre, *catalogue.relatives(centre))}
        found = tuple(model for model in found if model.id in family)
    kept = [model for model in found if _kept(model, session.fits.get(model.id), view)]
    key = _KEYS.get(view.order)
    return sorted(kept, key=key) if key else kept


def _kept(model: CatalogueModel, fit: Fit | None, view: View) -> bool:
    """What is not worked out yet stays listed."""
    if view.fitting and fit is not None and fit.mark not in USABLE:
        return False
    if view.commercial and model.commercial_use not in ("yes", "conditions"):
        return False
    if view.family and model.family != view.family:
        return False
    if view.use and view.use not in model.uses:
        return False
    return not view.precision or view.precision in formats_of(model)


def formats_of(model: CatalogueModel) -> tuple[str, ...]:
    """Weight formats in which it is published; "gguf" for all of those."""
    return (*(c.weights.partition(":")[0] for c in model.checkpoints), *(("gguf",) if model.gguf_repos else ()))


def uses_of(session: Session) -> tuple[str, ...]:
    """What models of the catalogue are for, the most frequent first."""
    counts = Counter(use for model in (session.catalogue.models() if session.catalogue else ()) for use in model.uses)
    return tuple(use for use, _ in counts.most_common())


def precisions_of(session: Session) -> tuple[str, ...]:
    """Formats of the catalogue, the most frequent first."""
    models = session.catalogue.models() if session.catalogue else ()
    return tuple(name for name, _ in Counter(name for m in models for name in set(formats_of(m))).most_common())


def after(values: Sequence[str], value: str) -> str:
    """The next of the values; empty behind the last."""
    ring = ("", *values)
    return ring[(ring.index(value) + 1) % len(ring)] if value in ring else ""


def row_of(model: CatalogueModel, fit: Fit | None) -> Row:
    cells = {
        "mark": fit.mark if fit else " ",
        "name": model.short_name,
        "size": size_of(model),
        "context": tokens(model.max_context),
        "publisher": model.publisher,
        "licence": model.licence or "unknown",
        "released": model.released or "",
    }
    if fit is not None:
        cells |= {"best": fit.weights, "room": fit.room, "token": fit.token, "users": fit.users}
    about = f"{model.id} · {model.licence or 'licence unknown'} · {', '.join(model.uses)}"
    if fit is not None and fit.note:
        about = f"{fit.mark} {model.short_name}: {fit.note}"
    return Row(model.id, cells, about, dim=fit is not None and fit.mark == "✗")


def size_of(model: CatalogueModel) -> str:
    """``671B A37B``."""
    total, active = model.parameters_total, model.parameters_active
    if total is None:
        return ""
    return f"{short(total)} A{short(active)}" if active and active < total else short(total)


def short(count: float) -> str:
    """Parameters to three digits: ``671B``, ``1.6T``, ``30.5B``."""
    for factor, unit in ((TERA, "T"), (GIGA, "B"), (MEGA, "M")):
        if count >= factor:
            return f"{float(f'{count / factor:.3g}'):g}{unit}"
    return f"{count:.0f}"


def describe(session: Session, id_: str) -> str:
    """The model under the cursor in a few lines."""
    model = session.catalogue.find(id_) if session.catalogue and id_ != BEST else None
    if model is None:
        return ""
    formats = ", ".join(dict.fromkeys(c.weights for c in model.checkpoints)) or "not listed"
    gguf = ", GGUF" if model.gguf_repos else ""
    lines = [f"{model.name} · {model.family} · {', '.join(model.uses)} · {tokens(model.max_context)} context"]
    lines.append(
        f"Published as {formats}{gguf}" + (f" · distilled from {model.distilled_from}" if model.distilled_from else "")
    )
    return "\n".join(lines)


def facts(session: Session, id_: str) -> Explanation | None:
    """Everything that the catalogue says about a model."""
    model = session.catalogue.find(id_) if session.catalogue and id_ != BEST else None
    if model is None:
        return None
    rows = [
        ("family", model.family),
        ("parameters", size_of(model) or "unknown"),
        ("context", f"{model.max_context:,} tokens" if model.max_context else "unknown"),
        ("uses", ", ".join(model.uses)),
        ("licence", f"{model.licence or 'unknown'} · commercial use: {model.commercial_use}"),
        ("released", model.released or "unknown"),
        ("base", model.base or ""),
        ("distilled from", model.distilled_from or ""),
        *((f"as {c.weights}", f"{c.repo} {human_bytes(c.bytes) if c.bytes else ''}") for c in model.checkpoints),
        *(("as GGUF", repo) for repo in model.gguf_repos),
    ]
    fit = session.fits.get(model.id)
    here = ((f"{fit.mark} {fit.note or f'fits as {fit.weights}, requests of {fit.room}'}"),) if fit else ()
    sources = tuple(f"{key}: {source.text}" for key, source in model.sources.items())
    return Explanation(
        model.id, model.licence_note, tuple(row for row in rows if row[1]), (*here, *model.doubts, *sources)
    )
