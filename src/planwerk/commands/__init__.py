"""What the commands of `planwerk` do; `cli.py` only names them and their options."""


class Impossible(Exception):
    """A command cannot be done; the text is one sentence for the person who gave it."""
