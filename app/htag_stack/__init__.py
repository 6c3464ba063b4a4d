"""The deployed program: settings, logs, metrics, health and the demo around `htag`."""
