"""What names of files and folders tell where tags say nothing: pure functions of a path.

Used by the readers when a file is read, and by the index again when it is renamed or moved.
"""
