"""A browser without a window: it opens pages of htag apps, applies updates and fires events, for tests and for load.

It is written from the contract and knows nothing of what is inside htag: so a mistake in htag is not made here, too.
"""
