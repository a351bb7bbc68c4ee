"""Which boundary a completion is for: the topic of its delivery tells, and its phase has to agree."""

from common.messages import Phase, PhaseCompletion
from common.phases.phase_graph import Graph
from common.phases.shape import Boundary
from common.result import ErrorInfo, Result

# The message names phases, the graph numbers them.
_NUMBERS = {phase: number for number, phase in enumerate(Phase, start=1)}


def boundary_of(graph: Graph, topic: str, completion: PhaseCompletion) -> Result[Boundary | None]:
    """The boundary that the topic of this constant wakes; None where this sport's pipeline has none there.

    PERMANENT for a completion of another phase: it was published on the wrong topic.
    """
    boundary = graph.completed_on(topic)
    if boundary is None or _NUMBERS[completion.phase] == boundary.phase:
        return Result.success(boundary)
    return Result.failure(
        ErrorInfo.permanent(
            "WrongPhase",
            f"phase: {completion.phase.value!r} of {completion.processor_name!r} came on {topic}, "
            f"on which phase {boundary.phase} is completed",
        )
    )
