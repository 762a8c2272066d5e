"""What the watcher stands on: which file systems tell of changes, and what; when it is quiet."""
