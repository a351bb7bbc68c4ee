"""Sales and weather end phase 2 and start the forecasts at once; the forecasts go to the order system."""

from collections.abc import Mapping
from datetime import time
from typing import Final

from common.consolidation.receipt import PROCESSOR
from common.phases.mode import Mode
from common.phases.phase_graph import Graph
from common.phases.shape import Boundary, Coverage, Deadline, ModeRules, Reported, Table, Tier
from common.predictions.table import TABLE
from common.sport import DatasetRole

CALENDAR: Final = Table(role=DatasetRole.REFERENCE, name="opening_days", date_column="sales_day")

_SALES: Final = ModeRules(
    expected=("store_sales", "weather_forecast"),
    critical=("store_sales",),
    tiers=(Tier(reason="without_weather", after_minutes=30, at_least=1),),
    gates=(
        Coverage(
            name="stores_covered",
            table=Table(role=DatasetRole.RAW, name="store_sales", date_column="sales_day"),
            schedule=CALENDAR,
            column="store_key",
            min_pct=95,
        ),
    ),
    deadline=Deadline(days_after=0, at=time(4)),
)
_FORECASTS: Final = ModeRules(
    expected=(PROCESSOR,),
    critical=(PROCESSOR,),
    gates=(Reported(name="completion_pct", processor=PROCESSOR, field="completion_pct", minimum=99),),
    deadline=Deadline(days_after=0, at=time(5)),
)

GRAPHS: Final[Mapping[str, Graph]] = {
    "stores": Graph(
        sport="stores",
        schedule=CALENDAR,
        boundaries=(
            Boundary(
                name="sales_to_forecasts",
                phase=2,
                next_phase=5,
                completes_on="PHASE2_RAW_COMPLETE",
                dispatches_to="PREDICTIONS_TRIGGER",
                triggered_by="sales_to_forecasts",
                parent_processor="Sales",
                entities={"stores": ("store_sales",)},
                modes=dict.fromkeys(Mode, _SALES),
            ),
            Boundary(
                name="forecasts_to_orders",
                phase=5,
                next_phase=6,
                completes_on="PHASE5_PREDICTIONS_COMPLETE",
                dispatches_to="PHASE6_EXPORT_TRIGGER",
                triggered_by="forecasts_to_orders",
                parent_processor="Forecasts",
                export_types=(TABLE,),
                modes=dict.fromkeys(Mode, _FORECASTS),
            ),
        ),
    )
}
