"""Four voices on a grid of sixteenths: encode, generate and decode; the network, the counts and the masks."""
