"""Keeping a wish whatever happens: in the database, or in the spool until the database is back."""

import asyncio
from dataclasses import replace

from ivr.callbacks.ledger import Ledger
from ivr.callbacks.spool import Spool
from ivr.callbacks.wishes import Kept, Kind, Wish
from ivr.database import NoDatabaseError
from ivr.spool import Delivery, NotYetError

# What is told of a wish that went into the spool.
TOLD = {
    Kind.SAVE: "saved",
    Kind.KEEP: "kept",
    Kind.CANCEL: "cancelled",
    Kind.NEED: "noted",
    Kind.SAFETY: "noted",
}


class Keeper(Delivery[Wish, Kept]):
    """Keeps wishes, and delivers what is in the spool while ``run`` runs."""

    def __init__(self, ledger: Ledger, spool: Spool) -> None:
        super().__init__(spool, ledger.enter, "wishes")

    async def keep(self, wish: Wish) -> Kept:
        """Keep a wish; when this returns it is durable, here or in the database.

        Raises OSError when neither takes it.
        """
        try:
            return await self.enter(wish)
        except (NoDatabaseError, NotYetError, TimeoutError):
            told = Kept(TOLD[wish.kind], wish.reference)
            await asyncio.to_thread(self.spool.put, replace(wish, told=told.outcome))
            return told
