-- For vim.lsp.enable("trop") of Neovim 0.11 and later: the server in buffers of trop.yaml, by Neovim's own means.

-- What lenses and actions do has questions, and saves the file, where the rest of the plugin is there to do it.
local has_plugin, offered = pcall(require, "trop.offered")

return {
  cmd = { "trop-server" },
  -- Without the plugin the file is just YAML; with it, its filetype is its own.
  filetypes = { "yaml", "yaml.trop" },
  root_dir = function(bufnr, on_dir)
    local path = vim.api.nvim_buf_get_name(bufnr)
    local name = vim.fs.basename(path):lower()
    -- Who gave the file nearly the right name, as in trop.yml, is told so by the server.
    if name:match("^%.?trop%.ya?ml$") or name:match("^%.?trop%.local%.ya?ml$") then
      on_dir(vim.fs.dirname(path))
    end
  end,
  commands = has_plugin and offered or nil,
  init_options = { savesFirst = has_plugin },
  -- Plain texts: Neovim shows the backslashes of Markdown, with which a stranger's text stays text.
  capabilities = {
    -- Neovim compares versions, and does not say so.
    workspace = { workspaceEdit = { documentChanges = true } },
    textDocument = {
      hover = { contentFormat = { "plaintext" } },
      completion = { completionItem = { documentationFormat = { "plaintext" } } },
    },
  },
}
