--- Which folder a buffer belongs to.
local M = {}

---@type table<string, string|false>
local known = {}

---@param start string
---@return string?
local function repository(start)
  local directory = start
  -- Neovim's own search would take a $ in a name for a variable.
  while not vim.uv.fs_stat(vim.fs.joinpath(directory, ".git")) do
    local above = vim.fs.dirname(directory)
    if above == directory then
      return nil
    end
    directory = above
  end
  return directory
end

--- The directory where the search for a buffer's folder begins, or nil if the buffer is no file.
---@param bufnr integer
---@return string?
local function directory_of(bufnr)
  local name = vim.api.nvim_buf_get_name(bufnr)
  if vim.bo[bufnr].buftype ~= "" or name == "" or name:match("^%a[%w+.-]+://") then
    return nil
  end
  return vim.fs.dirname(name)
end

---@param directory string?
---@param cwd string
---@return string|false
local function search(directory, cwd)
  local root = directory and repository(directory) or repository(cwd)
  if root then
    -- What the server stores for a folder has no links in it.
    return vim.uv.fs_realpath(root) or root
  end
  -- Neovim is often started in the home directory by the way; that is nothing that somebody opened.
  if cwd == "/" or vim.uv.fs_realpath(cwd) == vim.uv.fs_realpath(vim.uv.os_homedir() or "/") then
    return false
  end
  return cwd
end

--- The folder of a buffer: the git repository of its file, else that of the working directory, else the working
--- directory itself, unless that is the home directory or /. Looks at the file system once for each directory.
---@param bufnr? integer the current buffer if not given
---@return string? path without links; nil if there is none
function M.of(bufnr)
  bufnr = (bufnr == nil or bufnr == 0) and vim.api.nvim_get_current_buf() or bufnr
  ---@cast bufnr integer
  if not vim.api.nvim_buf_is_valid(bufnr) then
    return nil
  end
  local cwd = vim.uv.cwd()
  if not cwd then
    return nil
  end
  local directory = directory_of(bufnr)
  local key = (directory or "") .. "\0" .. cwd
  if known[key] == nil then
    known[key] = search(directory, cwd)
  end
  return known[key] or nil
end

--- Look at the file system again the next time: a repository may have been made, moved or removed.
function M.forget()
  known = {}
end

return M
