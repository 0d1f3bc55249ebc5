"""The bus: how fronts and media workers meet. There is one, NATS, on a laptop as on a cluster."""
