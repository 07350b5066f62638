"""One folder a kind of material, the same stages in each: encode, generate, decode, refine, critic, measure."""
