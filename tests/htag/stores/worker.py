"""A process that claims one session and saves it, again and again, as quickly as it can.

python worker.py URL SESSION TURNS: prints, for each turn, the generation, and whether the save was accepted.
"""

import asyncio
import os
import sys

from htag.stores import open_store
from htag.stores.base import Save


async def work(url: str, session: str, turns: int) -> None:
    store = open_store(url)
    for turn in range(turns):
        claimed = await store.claim(session, f"worker {os.getpid()}")
        assert claimed is not None
        (saved,) = await store.save([Save(session, claimed.generation, "", b"%d %d" % (os.getpid(), turn))])
        print(claimed.generation, int(saved), flush=True)
    await store.close()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], sys.argv[2], int(sys.argv[3])))
