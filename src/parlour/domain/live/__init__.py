"""The live room: who is in, what they may do, where they are shown, who has the floor. Pure: time is passed in."""
