"""Components as data: a tree of tags, how it is rendered, what of it changed. No event loop, no I/O."""
