"""Stacked-MNIST: three digits as the three colours of a picture, 1,000 modes for a generator to find."""
