"""Puts the chat that karma-hello has in its store into an SQLite database: python fill.py JOURNAL DATABASE

The table is laid out for the question that is asked of it, as karma-hello's own is.
"""

import json
import pathlib
import sqlite3
import sys
from datetime import datetime

# An entry of the journal begins with the name of whoever wrote it.
NAME_BYTES = 36

SCHEMA = """
CREATE TABLE stream (stream_id TEXT PRIMARY KEY, heading TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE message (
    user_key TEXT NOT NULL, at INTEGER NOT NULL, stream_id TEXT NOT NULL, user TEXT NOT NULL, text TEXT NOT NULL, badges TEXT NOT NULL,
    PRIMARY KEY (user_key, at)
) WITHOUT ROWID;
"""


def row(stream, message):
    at = round(datetime.fromisoformat(message["timestamp"]).timestamp() * 1_000_000)
    badges = json.dumps(message["user_badges"])
    return message["user"].lower(), at, stream["stream_id"], message["user"], message["message"], badges


def main(journal, database):
    connection = sqlite3.connect(database)
    connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + SCHEMA)
    for entry in sorted(pathlib.Path(journal).iterdir()):
        entry = json.loads(entry.read_bytes()[NAME_BYTES:])
        stream = entry["stream"]
        heading = (stream["stream_id"], json.dumps(stream))
        connection.execute("INSERT OR IGNORE INTO stream VALUES (?, ?)", heading)
        rows = (row(stream, message) for message in entry["messages"])
        connection.executemany("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?)", rows)
        connection.commit()


main(*sys.argv[1:])
