"""Custody: who has an account, and where it stands written how to put it back.

The undo log, the locks and the leases lie in a store of the account itself (store.py), so that
they outlive this machine.
"""

from __future__ import annotations

from chaos.custody.grants import grants
from chaos.custody.opening import open_store
from chaos.custody.taking import Taken, take
from chaos.custody.wardens import dead_man_s

__all__ = ["Taken", "dead_man_s", "grants", "open_store", "take"]
