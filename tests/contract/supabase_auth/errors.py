"""Errors in both shapes of Supabase Auth: `code` is a word since API version 2024-01-01, and was a number before."""

from aiohttp import web

VERSION_HEADER = "X-Supabase-Api-Version"
VERSION = "2024-01-01"


def auth_error(request: web.Request, status: int, code: str, message: str) -> web.Response:
    """One error, as the asked-for version of the API has it."""
    if request.headers.get(VERSION_HEADER, "") >= VERSION:
        headers = {VERSION_HEADER: VERSION}
        return web.json_response({"code": code, "message": message}, status=status, headers=headers)
    return web.json_response({"code": status, "error_code": code, "msg": message}, status=status)
