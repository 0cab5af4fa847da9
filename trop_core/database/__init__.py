"""The store: one SQLite file, its connections, its queries, and the migrations of its schema."""
