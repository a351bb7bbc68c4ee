"""What goes wrong on purpose in a run: duplicates, disorder, and a process that dies at its work.

Everything but the moment of a death follows from the seed, so the same run misbehaves again in the same way.
"""

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

LONGEST_DELAY_SECONDS = 0.4
"""Of a shuffled completion: longer than it takes to handle dozens of others."""

_LOOK_EVERY_SECONDS = 0.05


class Victim(Enum):
    """What `--kill` ends with SIGKILL in the middle of its work."""

    RECORDER = "recorder"
    TRIGGER = "trigger"
    WORKER = "worker"
    TRANSITIONS = "transitions"


AFTERMATH = {
    Victim.RECORDER: "what it held is delivered again",
    Victim.TRIGGER: "the lock is free when the dead holder's lease ends",
    Victim.WORKER: "its requests come again within a minute",
    Victim.TRANSITIONS: "what it held is delivered again, and the sweep looks at what is due",
}
"""What the system has to do after each death."""


@dataclass(frozen=True, kw_only=True)
class Disorder:
    """What happens to the completion events of a run."""

    duplicates: float = 0.0
    """Share of the events that are published twice, 0 to 1; the second is a Pub/Sub message of its own."""
    shuffle: bool = False
    """Whether completions are held back, each for a time of its own."""
    seed: int = 0

    def copies(self, player: str) -> int:
        """How often the player's completion is published."""
        return 2 if self._share("duplicate", player) < self.duplicates else 1

    def delay_seconds(self, player: str, copy: int) -> float:
        """How long this copy is held back, so that events overtake each other."""
        return LONGEST_DELAY_SECONDS * self._share(f"delay {copy}", player) if self.shuffle else 0.0

    def _share(self, what: str, player: str) -> float:
        """A number from 0 to 1, the same for the same seed."""
        # A digest, not a generator: the share of a player does not depend on who came before.
        digest = hashlib.sha256(f"{self.seed}/{what}/{player}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64


class Killing(threading.Thread):
    """Waits for the moment, kills once, and remembers that it did (`done`).

    A thread, for the day goes on meanwhile.
    """

    def __init__(self, is_time: Callable[[], bool], kill: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._is_time = is_time
        self._kill = kill
        self._called_off = threading.Event()
        self.done = threading.Event()

    def run(self) -> None:
        """Look until it is time, kill, and end; or end when it is called off."""
        while not self._called_off.is_set():
            if self._is_time():
                self._kill()
                self.done.set()
                return
            time.sleep(_LOOK_EVERY_SECONDS)

    def call_off(self) -> None:
        """No killing after this returns."""
        self._called_off.set()
        self.join()
