"""A session's moving picture: small, short, renewed twice a minute, and had by whoever knows its URL."""
