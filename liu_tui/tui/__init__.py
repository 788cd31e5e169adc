"""The console: one Textual screen on a session's socket. Owns a picture and nothing else."""
