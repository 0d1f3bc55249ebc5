"""The picture: RTP payloads to pictures, pictures to one canvas, the canvas to shared renditions. No sockets."""
