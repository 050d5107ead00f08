"""`python -m glueprint`: the command line, where no script is on the path."""

from glueprint.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
