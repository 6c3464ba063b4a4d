"""What a change of a tag is about, as flags: the app notes their union for each tag until it is rendered."""

TEXT = 1  # its only child is a text, and is another one
ATTRIBUTES = 2  # an attribute was set to another value, or removed
HANDLERS = 4  # an event has another handler, or none any more
CHILDREN = 8  # children came, left, moved, or may have: what a change is about that says nothing more exact
