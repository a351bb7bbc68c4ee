"""What an audit asks, by the names that outcomes and findings tell."""

from typing import Final

FIRESTORE: Final = "firestore"
BIGQUERY: Final = "bigquery"
PUBSUB: Final = "pubsub"
