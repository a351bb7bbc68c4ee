"""What makes a phase graph sound: asked of every graph when it is made."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from ..topics import REGISTRY
from .mode import Mode
from .shape import Boundary, GateRule, ModeRules

_COMPLETIONS: Final = ("PhaseCompletion",)
_TRIGGERS: Final = ("PhaseTrigger", "ExportTrigger")


def problems(boundaries: Sequence[Boundary]) -> Iterator[str]:
    """What makes a graph of these boundaries unsound, each with the name of the part; nothing for a sound
    one."""
    yield from _repeated("boundary", (each.name for each in boundaries))
    yield from _repeated("topic", (each.completes_on for each in boundaries))
    for boundary in boundaries:
        yield from (f"boundary {boundary.name!r}: {what}" for what in _of_boundary(boundary))
    if cycle := _cycle(boundaries):
        yield f"cycle: phases {' → '.join(map(str, cycle))}"


def _repeated(what: str, names: Iterator[str]) -> Iterator[str]:
    """Names that are there more than once."""
    yield from (
        f"{what} {name!r}: named {number} times" for name, number in Counter(names).items() if number > 1
    )


def _of_boundary(boundary: Boundary) -> Iterator[str]:
    """What is wrong with one boundary by itself."""
    yield from _of_topic("completes_on", boundary.completes_on, _COMPLETIONS)
    yield from _of_topic("dispatches_to", boundary.dispatches_to, _TRIGGERS)
    is_export = boundary.dispatches_to in REGISTRY and boundary.message == "ExportTrigger"
    # An export of nothing would be dispatched, and be taken for done.
    if is_export and not boundary.export_types:
        yield "export_types: an export has at least one"
    if missing := sorted(mode.value for mode in set(Mode) - boundary.modes.keys()):
        yield f"modes: {', '.join(missing)} missing"
    for alias, name in boundary.aliases.items():
        if name not in boundary.known:
            yield f"alias {alias!r}: {name!r} is no processor of this boundary"
    for kind, names in boundary.entities.items():
        yield from (
            f"entities {kind!r}: {name!r} is no processor of this boundary"
            for name in names
            if name not in boundary.known
        )
    for mode, rules in boundary.modes.items():
        yield from (f"mode {mode.value!r}: {what}" for what in _of_mode(rules))


def _of_topic(role: str, constant: str, messages: tuple[str, ...]) -> Iterator[str]:
    """A topic that the registry lacks, or that carries another message than this end of the boundary
    speaks.
    """
    if constant not in REGISTRY:
        yield f"{role}: topic {constant!r} is not in the registry"
    elif REGISTRY[constant].message not in messages:
        yield f"{role}: topic {constant!r} carries {REGISTRY[constant].message}, not {' or '.join(messages)}"


def _of_mode(rules: ModeRules) -> Iterator[str]:
    """What is wrong with the rules of one mode."""
    yield from _repeated("processor", iter((*rules.expected, *rules.optional)))
    for name in rules.critical:
        # Nobody waits for it, and without it nothing starts.
        if name not in rules.expected:
            yield f"critical processor {name!r} is not expected"
    for before, after in zip(rules.tiers, rules.tiers[1:], strict=False):
        # The first tier that is satisfied is taken: one that waits longer for more would never be reached.
        if after.after_minutes <= before.after_minutes or after.at_least >= before.at_least:
            yield f"tier {after.reason!r}: out of order: later than {before.reason!r}, and content with fewer"
    for tier in rules.tiers:
        # It could never be reached, and the day would wait for the next tier.
        if tier.at_least > len(rules.expected):
            yield f"tier {tier.reason!r}: {tier.at_least} processors of {len(rules.expected)} expected"
    yield from _repeated("gate", (gate.name for gate in rules.gates))
    for gate in rules.gates:
        yield from (f"gate {gate.name!r}: {what}" for what in _of_gate(gate, rules))


def _of_gate(gate: GateRule, rules: ModeRules) -> Iterator[str]:
    """A gate that would be closed for ever, or would read a number that may never come."""
    if gate.kind == "reported" and gate.processor not in rules.critical:
        yield f"processor {gate.processor!r} is not critical, so its number may be missing"
    if gate.kind != "row_counts":
        return
    names = [table.name for table in gate.tables]
    yield from _repeated("table", iter(names))
    for name in gate.required:
        if name not in names:
            yield f"required table {name!r} is none of its tables"
    # It would be closed for ever.
    if gate.at_least > len(names):
        yield f"at_least: {gate.at_least} of {len(names)} tables"


def _cycle(boundaries: Sequence[Boundary]) -> list[int]:
    """Phases that lead to themselves, the first again at the end; empty if there are none.

    A cycle would start phases for ever.

    By a walk over every path: a graph has a handful of boundaries.
    """
    following: dict[int, list[int]] = {}
    for boundary in boundaries:
        following.setdefault(boundary.phase, []).append(boundary.next_phase)

    def walk(path: list[int]) -> list[int]:
        for phase in following.get(path[-1], ()):
            if phase in path:
                return [*path[path.index(phase) :], phase]
            if found := walk([*path, phase]):
                return found
        return []

    return next((found for phase in following if (found := walk([phase]))), [])
