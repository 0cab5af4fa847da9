"""The companion tables as trop makes them, letter for letter: what whoever looks for them compares them with."""

from __future__ import annotations

DIRECTORIES = """CREATE TABLE directories (
  path TEXT PRIMARY KEY NOT NULL,
  file_system TEXT,
  inode TEXT,
  born INTEGER,
  git_directory TEXT,
  came_from TEXT,
  block_id TEXT
) STRICT"""

INDEX = "CREATE INDEX idx_directories_identity ON directories(file_system, inode)"

OPERATIONS = """CREATE TABLE operations (
  id INTEGER PRIMARY KEY NOT NULL,
  time INTEGER NOT NULL,
  command TEXT NOT NULL,
  door TEXT NOT NULL,
  process INTEGER NOT NULL,
  directory TEXT,
  summary TEXT NOT NULL,
  undoes INTEGER,
  plan TEXT,
  changed INTEGER NOT NULL
) STRICT"""

CHANGES = """CREATE TABLE changes (
  operation INTEGER NOT NULL,
  number INTEGER NOT NULL,
  path TEXT, tag TEXT, port INTEGER, project TEXT, task TEXT, created_at INTEGER, last_used_at INTEGER,
  new_path TEXT, new_tag TEXT, new_port INTEGER, new_project TEXT, new_task TEXT, new_created_at INTEGER,
  new_last_used_at INTEGER,
  PRIMARY KEY (operation, number)
) STRICT, WITHOUT ROWID"""

MADE = ((), (DIRECTORIES, INDEX), (DIRECTORIES, INDEX, OPERATIONS, CHANGES))
"""What a store has of each version from 0 on."""
