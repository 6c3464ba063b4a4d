"""htag's log lines: bounded in number, and without what people type."""
