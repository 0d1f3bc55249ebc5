"""Recordings of live rooms: films made of the packets and the sound that the room makes anyway."""
