"""A client of aTES's services, and a follower of their events that misses none. PROTOCOL.md tells what goes over the wire."""
from .client import Balance, Client, Curve, NoReply, ProtocolError, Refused, Reply, Task, Transfer
from .follower import Broken, Chain, Compacted, Cursor, Event, Follower, Gap

__all__ = ['Balance', 'Broken', 'Chain', 'Client', 'Compacted', 'Cursor', 'Curve', 'Event', 'Follower', 'Gap', 'NoReply',
           'ProtocolError', 'Refused', 'Reply', 'Task', 'Transfer']
