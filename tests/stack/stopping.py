"""How long a worker of the deployed program takes to end, at most."""

from htag_stack.settings import Settings
from htag_stack.worker import SHUTDOWN_SECONDS

DRAIN = Settings.model_fields["drain_seconds"].default
GRACEFUL = DRAIN + SHUTDOWN_SECONDS + 5  # gunicorn's graceful_timeout, from app/htag_stack/gunicorn_conf.py
