"""The parts of the recording of completions, put together: for the function that they wake."""

from collections.abc import Callable
from typing import Any

from ..batches.dual_write_check import ConsistencyCheck
from ..documents.async_store import AsyncFirestoreDocuments
from ..runtime.once import once
from ..runtime.wiring import Wiring
from .recorder import Recorder
from .sampled_checks import SampledChecks


class Recording:
    """One per instance: recorder and checks are shared by its events, and made when one first needs them."""

    def __init__(self, wiring: Wiring[Any]) -> None:
        self._wiring = wiring
        self.recorder: Callable[[], Recorder] = once(self._recorder)
        self.checks: Callable[[], SampledChecks] = once(self._checks)

    def _recorder(self) -> Recorder:
        documents = AsyncFirestoreDocuments(self._wiring.async_database())
        return Recorder(documents, self._wiring.batches())

    def _checks(self) -> SampledChecks:
        # Who is told is made with the first finding.
        check = ConsistencyCheck(
            self._wiring.batches().store, lambda finding: self._wiring.reporter().report(finding)
        )
        return SampledChecks(check.check)
