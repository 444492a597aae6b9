"""``python -m spicealif``: the command line, where its script is not on the PATH."""

from spicealif.cli import main

if __name__ == "__main__":
    main()
