"""The media worker: transport, picture, sound, and the actor that owns a live room."""
