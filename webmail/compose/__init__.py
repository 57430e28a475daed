"""Writing: the editor of drafts, what is made of a message, and the outbox."""
