"""The tests mirror the tree of `webmail`; real servers, a fixed cast (alice, bob, mallory)."""
