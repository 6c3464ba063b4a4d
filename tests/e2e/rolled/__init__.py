"""An app in two versions, as `deploy/roll.sh` meets them; each is copied to where the stack looks for `clicked`."""
