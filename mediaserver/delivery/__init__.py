"""The bytes of what is in the library, over HTTP, as DLNA wants them."""
