"""The marks of tags and of their classes: bits, because every tag carries them and most carry none."""

# marks of a tag: what a tree pass has to look for in it
HOOKED = 1  # it, or something below it, has on_mount or on_unmount
DYNAMIC = 2  # a child may be something other than text or a tag
EXPOSED = 4  # somebody holds the list of children
WAITING = 8  # JavaScript is queued on it while it is in no app
BRINGS = 16  # it has statics: of its class, or of its own
CALLED = 32  # its class defines `__call__`, so as a child it is a callable
IDENTIFIED = 64  # its id is one's own, not a number of ours
VARIED = 128  # an attribute is something other than plain text
HEEDED = HOOKED | CALLED  # what a new parent has to know of a child

# what a class has that an element as it comes has not
UNPREPARED = 1  # nobody has looked yet
NAMELESS = 2  # the first argument of an instance is the element's name
INITIALISES = 4  # an `init` of its own
OTHER = 8  # styles, statics, hooks, `__call__`
