"""The pages about people, and what machines ask."""
