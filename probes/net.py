"""The workload's view of the network, as one probe sees it: names, connections, the AWS API.

Everything that a probe does outside its own process goes through here, so that a lab can stand
in for the real network and a test can hand in a fake.
"""

from __future__ import annotations
