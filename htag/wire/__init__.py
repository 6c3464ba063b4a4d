"""Messages between browser and server as typed structs, and their codecs. Knows nothing of the tree."""
