"""Phase transitions: when the processors of a phase are done and their data is there, the next phase starts.

`graph` has the pipelines as data; `assembly` puts everything together for one sport: `boundaries` for events,
`by_hand` for what people do, `sweep` for the clock. All of it works on the port of `common.documents`.
"""

__all__ = [
    "alert_rules",
    "alerts",
    "assembly",
    "boundaries",
    "by_hand",
    "days",
    "decision",
    "graph",
    "mode",
    "phase_graph",
    "records",
    "report_rules",
    "rules",
    "shape",
    "sweep",
]
