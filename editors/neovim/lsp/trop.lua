-- For vim.lsp.enable("trop") of Neovim 0.11 and later: the server in buffers of trop.yaml, by Neovim's own means.
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
  -- Plain texts: Neovim shows the backslashes of Markdown, with which a stranger's text stays text.
  capabilities = {
    textDocument = {
      hover = { contentFormat = { "plaintext" } },
      completion = { completionItem = { documentationFormat = { "plaintext" } } },
    },
  },
}
