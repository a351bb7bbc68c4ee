"""What the system before did for each completion: union into an array, read the document, take its length."""

from google.cloud import firestore

COLLECTION = "legacy_batches"


class LegacyRecorder:
    """One batch document; called from many threads."""

    def __init__(self, db: firestore.Client, expected_players: int, *, already: int = 0) -> None:
        self._ref = db.collection(COLLECTION).document()
        self._expected = expected_players
        self._ref.set(
            {
                "expected_players": expected_players,
                "completed_players": [f"early{index:05}" for index in range(already)],
                "total_predictions": 0,
            }
        )

    def record(self, player: str) -> bool:
        """Whether this caller believes that it completed the batch."""
        self._ref.update(
            {
                "completed_players": firestore.ArrayUnion([player]),
                "total_predictions": firestore.Increment(5),
                "updated_at": firestore.SERVER_TIMESTAMP,
            }
        )
        state = self._ref.get().to_dict() or {}
        return len(state["completed_players"]) >= int(state["expected_players"])
