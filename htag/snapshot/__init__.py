"""A running app as bytes, and back, also in another process and with another version of its code."""
