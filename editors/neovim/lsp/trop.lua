-- For vim.lsp.enable("trop") of Neovim 0.11 and later: the server in buffers of trop.yaml, by Neovim's own means.
return {
  cmd = { "trop-server" },
  filetypes = { "yaml.trop" },
  root_markers = { "trop.yaml", "trop.local.yaml", ".git" },
  -- Plain texts: Neovim shows the backslashes of Markdown, with which a stranger's text stays text.
  capabilities = {
    textDocument = {
      hover = { contentFormat = { "plaintext" } },
      completion = { completionItem = { documentationFormat = { "plaintext" } } },
    },
  },
}
