--- What the server offers in a document, by lenses and code actions: as with |:Trop|, a file is saved before its
--- services are reserved, a release asks, and what was done is said.
---@type table<string, fun(command: lsp.Command)>
return {
  ["trop.reserveGroup"] = function(command)
    require("trop.typing").forget()
    local argument = command.arguments[1]
    require("trop.group").reserve(vim.fs.dirname(argument.config), command.command, argument)
  end,
  ["trop.release"] = function(command)
    require("trop.typing").forget()
    require("trop.release").run(command.arguments[1], false)
  end,
}
