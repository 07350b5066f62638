"""One file a format: how labels are written into it and read back."""
