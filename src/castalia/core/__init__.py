"""Values, ports, errors, configuration and seeds: what every room shares. Imports nothing but pydantic and numpy."""
