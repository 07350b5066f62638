"""Forms: rules that act while a text is written."""
