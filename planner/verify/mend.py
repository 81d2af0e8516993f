"""The nearest deployment that is legal and fits: changes are tried one at a time, each is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.documents.deployment import Deployment
from planner.documents.files import parse_deployment, plain_deployment
from planner.documents.result import EstimateDocument
from planner.errors import BadInput
from planner.predict import predict
from planner.resolve import resolve
from planner.verify.failures import Explained, moved

if TYPE_CHECKING:
    from planner.library import Library

_STEPS = 10
_GOOD = ("fits", "tight")


@dataclass(frozen=True, slots=True)
class Mended:
    """A deployment after changes."""

    deployment: Deployment
    estimate: EstimateDocument
    changes: tuple[str, ...]
    """In words, in order."""

    @property
    def good(self) -> bool:
        return self.estimate.verdict in _GOOD


def mend(deployment: Deployment, library: Library, failures: tuple[Explained, ...] = ()) -> Mended:
    """First what the engine itself said would do, then what the planner finds wrong, and where neither
    changes anything, what the failure's kind is known to need."""
    mended = Mended(deployment, predict(deployment, library), ())
    for failure in failures:
        mended = _by_hint(mended, failure, library, moves=False) or mended
    mended = _by_findings(mended, library)
    for failure in failures:
        if not mended.changes:
            mended = _by_hint(mended, failure, library, moves=True) or mended
    return _by_findings(mended, library)


def _by_findings(mended: Mended, library: Library) -> Mended:
    for _ in range(_STEPS):
        change = next((f for f in mended.estimate.problems if f.severity == "error" and f.change), None)
        if mended.good or change is None:
            return mended
        tried = _changed(mended, change.change, f"{change.rule}: {_words(change.change)}", library)
        if tried is None or tried.deployment == mended.deployment:
            return mended
        mended = tried
    return mended


def _by_hint(mended: Mended, failure: Explained, library: Library, *, moves: bool) -> Mended | None:
    """The failure's own change, as far as it changes anything; a longer context than planned is no mending."""
    wanted = {key: move for key, move in failure.change.items() if (move[0] in "x+-") == moves}
    if not wanted:
        return None
    present = _values(mended.deployment, library)
    change = {}
    for key, move in wanted.items():
        now, new = present.get(key), moved(present.get(key), move)
        longer = key == "serving.max_model_len" and isinstance(new, int | float) and new > (now or 0)
        if new is not None and new != now and not longer:
            change[key] = new
    if not change:
        return None
    return _changed(mended, change, f"{failure.rule}: {_words(change)}", library)


def _values(deployment: Deployment, library: Library) -> dict[str, Any]:
    """What holds now, defaults included, by dotted key."""
    resolved = resolve(deployment, library)
    serving = resolved.serving
    keys = ("max_model_len", "max_num_seqs", "max_num_batched_tokens", "gpu_memory_utilization", "kv_cache_dtype")
    values: dict[str, Any] = {f"serving.{key}": getattr(serving, key) for key in keys}
    layers = resolved.architecture.num_layers + 1
    placed = serving.n_gpu_layers if serving.n_gpu_layers is not None else layers
    values["serving.n_gpu_layers"] = placed
    values["model.weights"] = deployment.model.weights
    return values


def _changed(mended: Mended, change: Mapping[str, Any], words: str, library: Library) -> Mended | None:
    try:
        deployment = with_changes(mended.deployment, change)
        estimate = predict(deployment, library)
    except BadInput:
        return None
    return Mended(deployment, estimate, (*mended.changes, words))


def with_changes(deployment: Deployment, change: Mapping[str, Any]) -> Deployment:
    """The document with dotted keys set; figures and hash of the old one are left away."""
    plain = plain_deployment(deployment)
    plain.pop("estimate", None)
    plain.pop("provenance", None)
    for dotted, value in change.items():
        *tables, key = dotted.split(".")
        node = plain
        for table in tables:
            node = node.setdefault(table, {})
        node[key] = value
    return parse_deployment(plain, "changed deployment")


def _words(change: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in change.items())
