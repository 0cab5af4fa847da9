--- What the server offers in a document, by lenses and code actions: as with |:Trop|, a file is saved before its
--- services are reserved, a release asks, and what was done is said.
---@type table<string, fun(command: lsp.Command)>
return {
  ["trop.reserveGroup"] = function(command)
    require("trop.typing").forget()
    local argument, group = command.arguments[1], require("trop.group")
    if group.is_seen({ vim.fs.dirname(argument.config) }) then
      group.reserve(command.command, argument)
    end
  end,
  ["trop.release"] = function(command)
    require("trop.typing").forget()
    require("trop.release").run(command.arguments[1], false)
  end,
}
