"""Turns a plan into the text of every file under generated/, and says where files on disk differ from it."""
