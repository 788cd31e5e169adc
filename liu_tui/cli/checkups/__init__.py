"""What `doctor` looks at: the host, the account, the terminal."""
