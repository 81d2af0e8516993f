"""The one door to NVIDIA's management library: a failed query becomes None, a lost device ``DeviceLost``."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from planner.documents.inventory import Notice

QUIET = frozenset(
    ("NVML_ERROR_NOT_SUPPORTED", "NVML_ERROR_NOT_FOUND", "NVML_ERROR_NO_DATA", "NVML_ERROR_INVALID_ARGUMENT")
)
"""The device has no such thing (or no such link or slice): a fact about the device, nothing to report."""
LOST = frozenset(("NVML_ERROR_GPU_IS_LOST", "NVML_ERROR_RESET_REQUIRED"))


class DeviceLost(Exception):
    """The driver no longer reaches the device."""


class Driver:
    """pynvml with manners. ``lacking`` maps each call that failed to the driver's reason, once."""

    def __init__(self, library: ModuleType) -> None:
        self.library: Any = library
        self.lacking: dict[str, str] = {}
        self._codes = {getattr(library, name): name for name in dir(library) if name.startswith("NVML_ERROR_")}

    def ask(self, call: str, *arguments: Any) -> Any:
        """The answer of one call, or None where the driver withholds it. Raises DeviceLost."""
        function = getattr(self.library, call, None)
        if function is None:
            self.lacking.setdefault(call, "unknown to the installed nvidia-ml-py")
            return None
        try:
            return function(*arguments)
        except self.library.NVMLError as error:
            self._note(call, error)
        except self.library.NVMLLibraryMismatchError:
            self.lacking.setdefault(call, "not in this driver")
        except UnicodeDecodeError:
            self.lacking.setdefault(call, "unreadable answer")
        return None

    def code(self, error: Exception) -> str:
        """``NVML_ERROR_NO_PERMISSION`` and the like."""
        return self._codes.get(getattr(error, "value", None), "NVML_ERROR_UNKNOWN")

    def _note(self, call: str, error: Exception) -> None:
        code = self.code(error)
        if code in LOST:
            raise DeviceLost(str(error)) from None
        if code == "NVML_ERROR_FUNCTION_NOT_FOUND":
            self.lacking.setdefault(call, "not in this driver")
        elif code not in QUIET:
            self.lacking.setdefault(call, str(error))

    def notices(self) -> tuple[Notice, ...]:
        """One notice for all calls that failed for a reason worth knowing."""
        if not self.lacking:
            return ()
        calls = ", ".join(f"{call} ({reason})" for call, reason in sorted(self.lacking.items()))
        fix = "figures that depend on them are shown as not reported; update the driver or allow access"
        return (Notice("nvidia driver", f"does not answer {calls}", fix, "driver-lacks-calls"),)
