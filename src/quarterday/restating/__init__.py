"""What a release changes of what readers see: shown, told, signed off by whom it takes."""
