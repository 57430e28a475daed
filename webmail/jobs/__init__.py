"""The activity page: what was done to mail and what waits; undo, retry, cancel."""
