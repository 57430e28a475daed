"""People: the address book, its groups, its files, and whom the first letters mean."""
