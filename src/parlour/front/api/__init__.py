"""The REST resources, a module each. Every handler goes: permission, input, work, answer."""
