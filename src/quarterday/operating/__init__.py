"""The operator's day: the board, the story of a load, and what may be done about it, on a page and in the terminal."""
