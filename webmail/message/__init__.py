"""The message page: reading, its parts, its source, its flags."""
