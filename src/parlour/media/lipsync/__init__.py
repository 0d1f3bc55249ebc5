"""A sender's sound and picture put out together: what was taken at one moment is heard and seen at one moment."""
