"""The sample slate: the games of one day, and the requests that follow from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from common.messages import PredictionRequest
from common.sport import Sport

from .predicting import line_of

PLAYERS_PER_GAME = 26
"""Two teams of thirteen."""


@dataclass(frozen=True, kw_only=True)
class Slate:
    """The games of one day and the players that are to be predicted."""

    sport: Sport
    game_date: date
    players: tuple[str, ...]

    @cached_property
    def games(self) -> Mapping[str, str]:
        """Player → game, filled game by game."""
        day = self.game_date.strftime("%Y%m%d")
        return {
            player: f"{day}_GAME{index // PLAYERS_PER_GAME + 1:02}"
            for index, player in enumerate(self.players)
        }

    def requests(self, batch_id: str, asked_at: datetime) -> list[PredictionRequest]:
        """One request per player. Every fifth or so has no betting line, as in life."""
        return [self._request(batch_id, asked_at, player) for player in self.players]

    def _request(self, batch_id: str, asked_at: datetime, player: str) -> PredictionRequest:
        """The request for one player, with the line that a bookmaker offers, if one does."""
        line = line_of(player)
        return PredictionRequest(
            batch_id=batch_id,
            player_lookup=player,
            game_date=self.game_date,
            game_id=self.games[player],
            line_values=() if line is None else (line,),
            has_prop_line=line is not None,
            actual_prop_line=line,
            correlation_id=batch_id,
            timestamp=asked_at,
        )
