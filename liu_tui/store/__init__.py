"""The books: SQLite, one file, one module a table. No SQL stands anywhere else."""
