"""The HTTP edge: connections of hosts we know nothing of, up to a request an application may see.

Bytes of the network end here. What the application gets has a checked head, a bounded body and a
``Host`` that means us; what it answers is sent with header names as it spells them, and files go
from the kernel's page cache to the socket without passing through Python. Knows nothing of UPnP or
of media; an ASGI application of any kind can be served with it.
"""
