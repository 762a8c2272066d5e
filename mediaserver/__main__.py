"""``python -m mediaserver``."""

from mediaserver.cli import main

if __name__ == "__main__":
    main()
