--- trop: a port of its own for every directory. See |trop.txt|.
---@class trop.Api: trop.Commands
local M = {}

--- What no folder narrows down unless one is named.
local ABOUT_EVERYTHING = { ["trop.list"] = true, ["trop.history"] = true }

--- Take options. Needs not be called; starts nothing.
---@param options? trop.Options
function M.setup(options)
  require("trop.config").set(options)
end

--- The ports of the folder that a buffer belongs to, for a statusline: `5000`, or `5000 api:5001`. "" where there are
--- none, and as long as they are not known. The first call for a folder opens it; none of them waits. A % in a tag is
--- doubled, as what a statusline evaluates has to be.
---@param bufnr? integer the current buffer if not given
---@return string
function M.status(bufnr)
  return require("trop.picture").text(bufnr)
end

--- Tell that a file or directory was renamed or moved, so that a directory's reservations follow it.
---@param old string
---@param new string
function M.renamed(old, new)
  require("trop.folders").forget()
  if vim.fn.isdirectory(new) == 0 then
    return
  end
  local absolute = function(path)
    return vim.fs.normalize(vim.fn.fnamemodify(path, ":p"), { expand_env = false }):gsub("(.)/$", "%1")
  end
  require("trop.server").renamed(absolute(old), absolute(new), function(err)
    if err then
      require("trop.messages").error(err)
    end
  end)
end

---@param name string such as `list_projects`
---@return string? command such as `trop.listProjects`; nil if it is no name of a command
local function command_of(name)
  if not name:match("^%l[%l%d_]*$") then
    return nil
  end
  return "trop." .. name:gsub("_(%l)", string.upper)
end

--- One function for each command of the server, under its name in snake case. Fields and results are as on the wire.
--- The folder, where none is named, is that of the current buffer; for `list` and `history`, none means everything.
return setmetatable(M, {
  __index = function(_, name)
    local command = type(name) == "string" and command_of(name) or nil
    if not command then
      return nil
    end
    ---@param argument? table
    ---@param callback? trop.Callback without one, an error is shown to the person
    local function execute(argument, callback)
      if callback == nil then
        callback = function(err)
          if err then
            require("trop.messages").error(err)
          end
        end
      end
      local folder = not ABOUT_EVERYTHING[command] and require("trop.folders").of() or nil
      require("trop.server").execute(command, argument, folder, callback)
    end
    rawset(M, name, execute)
    return execute
  end,
})
