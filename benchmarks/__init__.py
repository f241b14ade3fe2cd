"""What loading and checking cost, as ratios to the least that they could cost. See README.md."""
