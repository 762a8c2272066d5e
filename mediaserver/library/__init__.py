"""The library: media files, what is known of them, and the views over them. No network here."""
