-- Runs when Neovim starts: it defines :Trop, and everything else is loaded when it is used.
if vim.g.loaded_trop then
  return
end
vim.g.loaded_trop = true

if vim.fn.has("nvim-0.10") == 0 then
  vim.api.nvim_create_user_command("Trop", function()
    vim.api.nvim_err_writeln("trop needs Neovim 0.10 or later")
  end, { nargs = "*", bang = true, desc = "A port of its own for every directory" })
  return
end

-- A language of its own, which is still YAML to all that asks for that. Who gave the file nearly the right name, as in
-- trop.yml, is told so by the server.
vim.filetype.add({
  pattern = {
    [".*/%.?[tT][rR][oO][pP]%.[yY][aA]?[mM][lL]"] = "yaml.trop",
    [".*/%.?[tT][rR][oO][pP]%.[lL][oO][cC][aA][lL]%.[yY][aA]?[mM][lL]"] = "yaml.trop",
  },
})

vim.api.nvim_create_autocmd("FileType", {
  group = vim.api.nvim_create_augroup("trop", {}),
  pattern = "yaml.trop",
  desc = "Let trop-server see what is typed into trop.yaml",
  callback = function(event)
    require("trop.documents").attach(event.buf)
  end,
})

vim.api.nvim_create_user_command("Trop", function(invocation)
  require("trop.command").run(invocation)
end, {
  nargs = "*",
  bang = true,
  desc = "A port of its own for every directory",
  complete = function(lead, line, position)
    return require("trop.command").complete(lead, line:sub(1, position))
  end,
})
