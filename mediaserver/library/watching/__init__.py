"""What the watcher stands on: which file systems tell of changes, and when it is quiet."""
