"""`python -m tarlight`: the same as the command `tarlight`."""

from tarlight.cli import main

if __name__ == "__main__":
    main()
