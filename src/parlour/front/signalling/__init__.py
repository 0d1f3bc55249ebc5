"""The browser SDK's protocol: JSON-RPC over a WebSocket at the front's own address, path ``/``."""
