"""A stock pygls server with one command that does nothing: the floor of what a command can cost."""

from pygls.lsp.server import LanguageServer

server = LanguageServer("stock", "1")


@server.command("stock.nothing")
def nothing(*arguments: object) -> dict[str, object]:
    return {}


if __name__ == "__main__":
    server.start_io()
