"""The mail that the demo servers hold: everything written for this project, fictional people in fictional domains.

Each module holds one kind of mail and offers `messages(now)`; `all_messages` is the whole of it. `python -m
webmail.demo.mail --out DIR` writes it as .eml files to look at.
"""
