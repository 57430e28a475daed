"""People: signing in and out, their sessions, their accounts and what they prefer."""
