--- The settings, from `vim.g.trop` and `require("trop").setup()`.
local M = {}

--- Every field may be left away.
---@class trop.Options
---@field cmd? string|string[] The server's executable, or its whole command. Searched for if not given.
---@field venv? boolean Whether `.venv/bin/trop-server` of the folder may be run (false: a stranger's repository could
---bring one).
---@field data_dir? string The directory of the store, if not the one that the `trop` command uses.
---@field reserve_on_open? "never"|"git"|"always" For which folders a port is reserved when they open ("git").
---@field migrate_on_rename? boolean Whether reservations follow a directory that is renamed in the editor (true).

---@type trop.Options
local given = {}

---@param value any
---@return boolean
local function is_command(value)
  if type(value) == "string" then
    return value ~= ""
  end
  if type(value) ~= "table" or #value == 0 or not vim.islist(value) then
    return false
  end
  for _, word in ipairs(value) do
    if type(word) ~= "string" then
      return false
    end
  end
  return true
end

---@param expected string
---@return fun(value: any): boolean
local function of_type(expected)
  return function(value)
    return type(value) == expected
  end
end

---@type table<string, { accepts: (fun(value: any): boolean), expected: string }>
local KNOWN = {
  cmd = { accepts = is_command, expected = "a path, or a list of a path and arguments" },
  venv = { accepts = of_type("boolean"), expected = "true or false" },
  data_dir = { accepts = of_type("string"), expected = "a path" },
  reserve_on_open = {
    accepts = function(value)
      return vim.list_contains({ "never", "git", "always" }, value)
    end,
    expected = '"never", "git" or "always"',
  },
  migrate_on_rename = { accepts = of_type("boolean"), expected = "true or false" },
}

--- What is wrong with options, a sentence each; empty if nothing is.
---@param options any
---@param source string where they come from, for the sentence
---@return string[]
local function problems(options, source)
  if type(options) ~= "table" then
    return { ("%s: expected a table, not %s"):format(source, vim.inspect(options)) }
  end
  local found = {}
  for name, value in vim.spairs(options) do
    local known = KNOWN[name]
    if not known then
      local names = table.concat(vim.fn.sort(vim.tbl_keys(KNOWN)), ", ")
      table.insert(found, ("%s: there is no option %s; there are %s"):format(source, tostring(name), names))
    elseif not known.accepts(value) then
      table.insert(found, ("%s.%s: expected %s, not %s"):format(source, name, known.expected, vim.inspect(value)))
    end
  end
  return found
end

---@return any
local function global()
  local options = vim.g.trop
  if type(options) == "function" then
    options = options()
  end
  return options == nil and {} or options
end

--- Take options; they hold from the next start of the server on.
--- Raises an error that names every option that is unknown or has a wrong value, and takes none of them then.
---@param options? trop.Options
function M.set(options)
  local found = problems(options or {}, "setup")
  if #found > 0 then
    error("trop: " .. table.concat(found, "; "), 0)
  end
  given = vim.deepcopy(options or {})
end

--- The options that hold now: those of `setup()`, before those of `vim.g.trop`, before the defaults.
---@return trop.Options options
---@return string[] problems what is wrong with `vim.g.trop`, none of which is used then
function M.get()
  local defaults = { venv = false, reserve_on_open = "git", migrate_on_rename = true }
  local from_global = global()
  local found = problems(from_global, "vim.g.trop")
  return vim.tbl_extend("force", defaults, #found == 0 and from_global or {}, given), found
end

--- What the server is told at its start.
---@param opened_before string[] folders that an earlier server has seen open: they do not open once more
---@return table
function M.initialization_options(opened_before)
  local options = M.get()
  return {
    notifications = true,
    announcements = true,
    savesFirst = true,
    dataDir = options.data_dir and vim.fs.normalize(options.data_dir) or nil,
    migrateOnRename = options.migrate_on_rename,
    reserveOnOpen = options.reserve_on_open,
    openedBefore = vim.tbl_map(vim.uri_from_fname, opened_before),
  }
end

return M
