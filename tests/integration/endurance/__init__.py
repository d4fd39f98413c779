"""A whole network for as long as one likes: traffic, L1 reorgs, restarts and kills, all watched."""
