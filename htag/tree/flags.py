"""The flags of tags, and those of their classes: bits, because every tag carries them and most carry none."""

# Flags of a tag: what a pass over the tree has to look for in it. A tag with any but NO_MATTER shares no start tag
# with other tags.
HAS_HOOKS = 1  # it, or something below it, has on_mount or on_unmount
DYNAMIC_CHILDREN = 2  # a child may be something other than text or a tag
CHILDREN_EXPOSED = 4  # the author has asked for the list of its children, and may change it unseen
PENDING_SCRIPTS = 8  # JavaScript is queued on it while it is in no app
HAS_STATICS = 16  # it has statics: of its class, or of its own
IS_CALLABLE = 32  # its class defines `__call__`, so as a child it is a callable
OWN_ID = 64  # its id was set by the author, and is no number of ours
DYNAMIC_ATTRIBUTES = 128  # an attribute is something other than plain text
AWAY = 256  # it has left the tree, as it was shown; or had once
CHANGED_AWAY = 512  # and is not as it was shown
VALUE_REPORTED = 1024  # a select: its value is what a browser said
CHOOSES = 2048  # a select: its value is the author's, see `choice`

NO_MATTER = HAS_HOOKS | AWAY | CHANGED_AWAY  # in which its start tag has no part
PARENT_MUST_KNOW = HAS_HOOKS | IS_CALLABLE  # what a new parent has to know of a child

# Flags of a class: any of them excludes the specialised constructor.
UNPREPARED = 1  # no instance was made yet, see `constructor.prepare`
TAKES_NAME = 2  # the first argument of an instance is the element's name
HAS_INIT = 4  # an `init` of its own
NOT_PLAIN = 8  # styles, statics, hooks, `__call__`
