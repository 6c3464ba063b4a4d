"""What the other packages need of this one, in one place."""

from htag.snapshot.carrying import carry
from htag.snapshot.dumping import dump, dump_whole
from htag.snapshot.entity import entity_path, fingerprint, prepare
from htag.snapshot.envelope import Sealed, seal, unseal
from htag.snapshot.holders import is_held
from htag.snapshot.reader import Loaded, load

__all__ = [
    "Loaded",
    "Sealed",
    "carry",
    "dump",
    "dump_whole",
    "entity_path",
    "fingerprint",
    "is_held",
    "load",
    "prepare",
    "seal",
    "unseal",
]
