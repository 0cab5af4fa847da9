"""The versions of the tables that stand beside the file format and are this program's alone. See ../README.md."""
