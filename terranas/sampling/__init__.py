"""Random walks through the search space and the list of architectures to train."""
