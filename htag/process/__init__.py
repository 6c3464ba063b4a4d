"""What a process has once: its garbage collector and its heap."""
