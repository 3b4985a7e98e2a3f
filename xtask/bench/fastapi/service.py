"""karma-hello's /get_chat_logs for users, as one writes it with FastAPI: DATABASE names an SQLite database that fill.py has made."""

import json
import os
import sqlite3
from datetime import datetime, timezone

from fastapi import FastAPI
from pydantic import BaseModel


class Stream(BaseModel):
    stream_id: str
    stream_date: str
    stream_title: str
    streamer: str
    duration_minutes: int | None


class Message(BaseModel):
    stream_id: str
    timestamp: str
    user: str
    message: str
    user_badges: list[str]


class Metadata(BaseModel):
    format_version: str = "1.0"
    streams: list[Stream]


class Answer(BaseModel):
    stream_id: str | None
    stream_date: str | None
    total_messages: int
    unique_users: int
    messages: list[Message]
    next_cursor: str | None
    metadata: Metadata


app = FastAPI()
database = sqlite3.connect(f"file:{os.environ['DATABASE']}?mode=ro", uri=True, check_same_thread=False)


# `async`, since a question takes less time than handing it to a thread.
@app.get("/get_chat_logs")
async def get_chat_logs(users: str, limit: int = 1000) -> Answer:
    names = [user.lower() for user in users.split(",")]
    marks = ",".join("?" * len(names))
    rows = database.execute(
        f"SELECT stream_id, at, user, text, badges FROM message WHERE user_key IN ({marks}) ORDER BY at LIMIT ?",
        (*names, limit + 1),
    ).fetchall()
    messages = [message(*row) for row in rows[:limit]]
    streams = [stream(stream_id) for stream_id in sorted({message.stream_id for message in messages})]
    only = streams[0] if len(streams) == 1 else None
    return Answer(
        stream_id=only and only.stream_id,
        stream_date=only and only.stream_date,
        total_messages=len(messages),
        unique_users=len({message.user.lower() for message in messages}),
        messages=messages,
        next_cursor=str(rows[limit - 1][1]) if len(rows) > limit else None,
        metadata=Metadata(streams=streams),
    )


def message(stream_id, at, user, text, badges):
    timestamp = datetime.fromtimestamp(at / 1_000_000, timezone.utc).isoformat().replace("+00:00", "Z")
    return Message(stream_id=stream_id, timestamp=timestamp, user=user, message=text, user_badges=json.loads(badges))


def stream(stream_id):
    heading = database.execute("SELECT heading FROM stream WHERE stream_id = ?", (stream_id,)).fetchone()
    return Stream.model_validate_json(heading[0])
