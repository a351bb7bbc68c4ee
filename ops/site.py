"""The status page with an explanation behind each of its rows, as it is served: for operators and the local
stack."""

from common.reporting.assembly import gathering
from common.reporting.page import render

from .commands import bundle, day_batches
from .commands.page import HOME, Site, address_of
from .options import date_of, looks_like_a_date
from .stores import Stores


def site(stores: Stores) -> Site:
    """All of it is read anew whenever somebody looks."""
    # What reads is made once and keeps no answers; each page asks the stores anew.
    reading = gathering(stores.wiring, stores.audit())

    def status() -> str:
        return render(reading.status(), link=address_of, here=stores.where.here)

    return Site(status=status, explanation=lambda name: _explanation(stores, name))


def _explanation(stores: Stores, name: str) -> str:
    """The page of a batch or of a date; raises ResultError.

    Whether a name is a date decides which of the two; a batch that is not there is NoSuchThing, which the
    server tells as a page that is not there.
    """
    telling = stores.telling()
    if not looks_like_a_date(name):
        return bundle.batch_page(stores.evidence().of(name), telling, home=HOME)
    game_date = date_of(name, stores.today())
    found = stores.day_evidence().of(game_date, stores.now())
    batches = day_batches.of(stores.batches().store.documents, game_date)
    return bundle.day_page(found, list(batches.found), telling, home=HOME, address=address_of)
