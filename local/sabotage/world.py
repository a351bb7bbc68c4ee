"""The system that is broken, as whoever breaks it reaches it: its stores, its audit, and small batches in it.

today - 2   a game day whose phases are over
today - 1   a game day: phases, and the batch whose rows are broken
later days  one small batch each, so that none waits for the lock of another
"""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any, Final

from google.cloud import firestore

from common.audit.assembly import Audit
from common.audit.auditor import Auditor
from common.batches import recording
from common.batches.batches import Batches
from common.batches.completion import Completion
from common.batches.records import COMPLETIONS, Batch, batch_path
from common.consolidation.day_lock import DayLock
from common.consolidation.merge_sql import Tables
from common.documents.store import FirestoreDocuments
from common.lock.lock import Lock
from common.lock.rules import LockKey
from common.messages import PlayerOutcome
from common.predictions.table import REQUESTED_FROM
from common.runtime.wiring import WarehouseWiring
from common.schema_mode import SchemaMode
from common.settings import WarehouseSettings
from common.sport import DatasetRole
from common.topics import PREDICTION_REQUEST
from common.warehouse.jobs import Timeouts
from common.warehouse.warehouse import EMULATOR_HOST, Limits, Warehouse, connect

from ..day.players import active_players
from ..day.predicting import is_skipped, line_of
from ..day.slate import Slate
from .clocks import HOUR, SABOTEUR, auditor_of

NOBODY: Final = "sabotagenobody"
"""A player whom no schedule knows."""
LATER: Final = 30
"""Days ahead of today, from which on each small batch has a day to itself."""
_NOBODY_LISTENS: Final = "http://127.0.0.1:1"
"""A port at which no emulator is."""
_AT_ONCE: Final = Limits(query_seconds=1.0, timeouts=Timeouts(request_seconds=1.0, retry_seconds=0.2))
"""A second: who asks a store that is away must not wait as long as in a cloud."""


class World:
    """One system, on the stores of the wiring."""

    def __init__(self, environment: Mapping[str, str], today: date) -> None:
        """`today` is the last game date that an audit looks at unasked."""
        self.environment: Final = environment
        self.wiring: Final = WarehouseWiring(WarehouseSettings, function=SABOTEUR, environment=environment)
        self.today: Final = today
        wiring = self.wiring
        self.audit: Final = Audit(wiring)
        self.tables: Final = Tables(predictions=wiring.settings.names.dataset(DatasetRole.PREDICTIONS))
        self.lock: Final = Lock(wiring.database())
        self.kept: Final[list[Any]] = []
        """Subscriptions as they were before they were changed."""
        self._days: dict[str, date] = {}

    @property
    def db(self) -> firestore.Client:
        """The Firestore client of the wiring."""
        return self.wiring.database()

    @cached_property
    def batches(self) -> Batches:
        """Of the mode without an array, whatever the system's own is."""
        return self.batches_in(SchemaMode.SUBCOLLECTION)

    def batches_in(self, mode: SchemaMode) -> Batches:
        """Batches that are opened in this mode."""
        return Batches(FirestoreDocuments(self.db), mode=mode)

    @cached_property
    def players(self) -> tuple[str, ...]:
        """Of whom workers predict something, and for whom no bookmaker offers a line: whoever is asked for
        again brings rows with the very same keys."""
        return tuple(one for one in active_players() if line_of(one) is None and not is_skipped(one))

    def now(self) -> datetime:
        """This machine's clock."""
        return datetime.now(UTC)

    def day(self, days_later: int) -> date:
        """A game date, counted from the last one that an audit looks at unasked."""
        return self.today + timedelta(days=days_later)

    def day_of(self, batch_id: str) -> date:
        """A game date of its own, the same for each call."""
        return self._days.setdefault(batch_id, self.day(LATER + len(self._days)))

    def slate(self, game_date: date, players: Collection[str]) -> Slate:
        """A slate of these players on that date."""
        return Slate(sport=self.wiring.settings.sport, game_date=game_date, players=tuple(players))

    def batch(self, batch_id: str) -> firestore.DocumentReference:
        """The batch's document, past every rule of ours."""
        found: firestore.DocumentReference = self.db.document(batch_path(batch_id))
        return found

    def completion(self, batch_id: str, player: str) -> firestore.DocumentReference:
        """A player's completion document, past every rule of ours."""
        found: firestore.DocumentReference = self.batch(batch_id).collection(COMPLETIONS).document(player)
        return found

    def open(
        self,
        batch_id: str,
        players: Collection[str],
        *,
        on: date | None = None,
        mode: SchemaMode = SchemaMode.SUBCOLLECTION,
        deadline: timedelta = 24 * HOUR,
        min_completion_pct: float = 95,
    ) -> Batch:
        """A batch of these players, whose deadline is so far ahead."""
        return (
            self.batches_in(mode)
            .open(
                batch_id,
                on or self.day_of(batch_id),
                players,
                deadline=self.now() + deadline,
                min_completion_pct=min_completion_pct,
                correlation_id=batch_id,
                dataset_prefix=self.wiring.settings.dataset_prefix,
            )
            .unwrap()
        )

    def skip(self, batch: Batch, players: Collection[str]) -> None:
        """Record that a worker has spoken for them, and had nothing to predict from."""
        completions = [
            Completion(
                player_lookup=player,
                outcome=PlayerOutcome.SKIPPED,
                predictions_count=0,
                event_id=f"{SABOTEUR}-{player}",
                reason=SABOTEUR,
            )
            for player in players
        ]
        # The very commit of the recorder, without its checks of who is expected.
        self.batches.store.documents.commit(recording.writes(batch, completions)).unwrap()

    def make_known(self, slate: Slate) -> None:
        """What the analytics would know of these players: the games that they play in."""
        rows = [{"player_lookup": player, "game_id": game} for player, game in slate.games.items()]
        # The table that a played day makes has the columns of its gates alone.
        for column, type_ in (("player_lookup", "STRING"), ("processed_at", "TIMESTAMP")):
            self.execute(f"ALTER TABLE `{self.requested_from}` ADD COLUMN IF NOT EXISTS {column} {type_}")
        self.execute(
            f"INSERT INTO `{self.requested_from}` (game_date, game_id, player_lookup, processed_at) "
            "SELECT @game_date, one.game_id, one.player_lookup, CURRENT_TIMESTAMP() "
            "FROM UNNEST(@rows) AS one",
            game_date=slate.game_date,
            rows=rows,
        )

    def ask(self, slate: Slate, batch_id: str) -> None:
        """Ask the workers for everybody."""
        requests = slate.requests(batch_id, self.now())
        self.wiring.publisher().publish_all(PREDICTION_REQUEST, requests).unwrap()

    @property
    def requested_from(self) -> str:
        """The table in which a redrive finds games."""
        return f"{self.wiring.settings.names.dataset(DatasetRole.ANALYTICS)}.{REQUESTED_FROM.table}"

    def lock_key(self, days_later: int) -> LockKey:
        """Of the consolidations of that day."""
        return DayLock(self.lock, self.wiring.settings.names).key(self.day(days_later))

    def execute(self, sql: str, **parameters: Any) -> None:
        """A statement in which `{main}` is the main table."""
        filled = sql.replace("{main}", f"`{self.tables.main}`")
        self.wiring.warehouse().execute(filled, parameters).unwrap()

    def rows(self, sql: str, **parameters: Any) -> list[Mapping[str, Any]]:
        """What a query in which `{main}` is the main table answers."""
        filled = sql.replace("{main}", f"`{self.tables.main}`")
        return list(self.wiring.warehouse().query(filled, parameters).unwrap().rows)

    def auditor(self) -> Auditor:
        """The deployment's auditor, by clocks that are hours ahead (`clocks`)."""
        return auditor_of(self.wiring, self.audit, lambda: self.today)

    def blind_auditor(self) -> Auditor:
        """One whom BigQuery does not answer."""
        environment = {**self.environment, EMULATOR_HOST: _NOBODY_LISTENS}
        blind = WarehouseWiring(WarehouseSettings, function=SABOTEUR, environment=environment)
        client = connect(self.wiring.settings.gcp_project, environment)
        # BigQuery alone: what is found goes into the real store.
        blind.warehouse = lambda: Warehouse(client, _AT_ONCE)
        return auditor_of(blind, Audit(blind), lambda: self.today)
