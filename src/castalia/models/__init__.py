"""The catalogue of models, fetching them with digest checks, and which one to use on this machine."""
