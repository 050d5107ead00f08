"""`python -m glueprint`: the command line, where the script of its name is not on the path."""

from glueprint.cli import main

if __name__ == "__main__":
    main()
