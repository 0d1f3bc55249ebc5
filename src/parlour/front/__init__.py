"""The front: REST, its errors, its documents. Stateless: any front serves any request."""
