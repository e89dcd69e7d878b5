"""Attribution over HTTP: parse, make one call, print."""
