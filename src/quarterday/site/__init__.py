"""The public site: a release as static pages, made of what its open data shows and of nothing else about people."""
