"""What htag logs: how much, and without what people type."""
