"""A network of its own for one command, without root: what it asks of AWS comes to our proxy.

    command ── its namespace: nftables ─┬─ DNS ──► names.py     AWS names get one address of ours
                                        └─ TCP ──► passage.py ─┬─ AWS ──► the API proxy
                                                               └─ else ─► relayed as it is

The listeners are opened inside and their descriptors passed out, so that this process answers them
from the host's network. Linux only.
"""
