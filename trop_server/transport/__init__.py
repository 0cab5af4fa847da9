"""Bytes and turns: what carries the messages of a server, whatever they say."""
