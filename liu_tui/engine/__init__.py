"""The processes of a session, what they say to each other, and the door for screens (client)."""
