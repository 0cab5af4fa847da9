--- Where the server is.
local config = require("trop.config")

local M = {}

local NAME = "trop-server"

--- The checkout that this plugin is part of, or nil where it was copied out of one.
---@return string?
function M.checkout()
  local source = assert(debug.getinfo(1, "S")).source:sub(2)
  local here = vim.uv.fs_realpath(source)
  local root = here and vim.fs.dirname(here):match("^(.*)/editors/neovim/lua/trop$")
  return root and vim.uv.fs_stat(root .. "/pyproject.toml") and root or nil
end

---@param path string
---@return string[]?
local function runnable(path)
  return vim.fn.executable(path) == 1 and { vim.fn.exepath(path) } or nil
end

--- The server's command: the configured one; that of the folder's environment, if that is allowed; the one on PATH; the
--- one that was installed into the checkout that this plugin comes from.
---@param folder? string
---@return string[]? command nil if there is none
---@return string? problem why there is none: a sentence
---@return string? hint what to do about it
function M.find(folder)
  local options = config.get()
  if options.cmd then
    local words = type(options.cmd) == "table" and options.cmd or { options.cmd }
    ---@cast words string[]
    local program = vim.fs.normalize(words[1] or "")
    if vim.fn.executable(program) == 0 then
      return nil, ("the configured server, %s, is not an executable file"):format(program), "Correct the option cmd."
    end
    return { program, unpack(words, 2) }
  end
  local checkout = M.checkout()
  local found = options.venv and folder and runnable(folder .. "/.venv/bin/" .. NAME)
    or runnable(NAME)
    or checkout and runnable(checkout .. "/.venv/bin/" .. NAME)
  if found then
    return found
  end
  local where = checkout and vim.fn.shellescape(checkout) or "a checkout of trop"
  return nil,
    NAME .. " was not found",
    ("Install it: cd %s && python3 -m venv --upgrade-deps .venv && .venv/bin/pip install ."):format(where)
      .. (checkout and "" or ", and put it on PATH or name it in the option cmd.")
end

return M
