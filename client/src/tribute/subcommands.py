"""How a part of the ``tribute`` command explains itself: the same for every one of its commands."""

import argparse


def add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    text: str,
    *,
    epilog: str,
) -> argparse.ArgumentParser:
    """Add a command whose help is ``text``, a sentence without its capital and its full stop."""
    return commands.add_parser(
        name,
        help=text,
        description=f"{text[:1].upper()}{text[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
