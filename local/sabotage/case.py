"""One defect on its way: what was found of it, what mended it, and what went otherwise than promised."""

from collections.abc import Collection
from dataclasses import dataclass, field

from common.audit.report import AuditReport
from common.findings import Finding

from .defect import Defect, Expected
from .outcome import Sabotaged


@dataclass
class Case:
    """One defect on its way."""

    defect: Defect
    expected: Expected
    """What has to be found."""
    findings: list[Finding] = field(default_factory=list)
    """What was found of it; () until an audit has looked."""
    mended: str = ""
    """What has mended it, in words; "" as long as nothing has."""
    problems: list[str] = field(default_factory=list)
    """What went otherwise than promised, a sentence each."""

    @property
    def finding_ids(self) -> set[str]:
        """Ids of its findings."""
        return {each.finding_id for each in self.findings}

    def take(self, opened: Collection[Finding]) -> None:
        """Those of the findings that tell of this defect, and whether they tell it right."""
        name = self.defect.finding_class
        self.findings = [
            each for each in opened if each.finding_class is name and each.scope.name in self.expected
        ]
        named = {each.scope.name: each.ids for each in self.findings}
        for scope, ids in self.expected.items():
            # Where nothing was found at all, `outcome` says so.
            if self.findings and scope not in named:
                self.problems.append(f"not found of {scope}")
            elif self.findings and ids is not None and set(named[scope]) != set(ids):
                self.problems.append(f"{scope}: {named[scope]} are named, and not {ids}")

    def note_repair(self, repaired: AuditReport) -> None:
        """What the audit's repair has done for each finding of this defect."""
        done = {each.finding_id: each for each in repaired.mended}
        for finding in self.findings:
            mended = done.get(finding.finding_id)
            if mended is None:
                self.problems.append("the audit has not repaired it")
            elif mended.error is not None:
                self.problems.append(f"{mended.repair}: {mended.error.message}")
            else:
                self.mended = f"the audit: {mended.repair.replace('_', ' ')}"

    def _found(self) -> str:
        """As what: the first of its findings. A summary that names its scope is told as it is."""
        if not self.findings:
            return ""
        first = self.findings[0]
        is_named = first.scope.name in first.summary
        told = first.summary if is_named else f"{first.scope.name}: {first.summary}"
        others = len(self.findings) - 1
        return f"({others + 1} findings) {told}" if others else told

    def outcome(self, resolved: Collection[str]) -> Sabotaged:
        """What became of it; `resolved` are the ids of findings that somebody was told the end of."""
        return Sabotaged(
            finding_class=self.defect.finding_class.value,
            how=self.defect.how,
            found=self._found(),
            ids=tuple(dict.fromkeys(name for each in self.findings for name in each.ids)),
            mended=self.mended,
            problem="; ".join(self.problems),
            is_resolved=self.finding_ids <= set(resolved),
        )
