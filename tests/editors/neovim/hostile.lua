--- Repositories that a stranger made, all in one editor.
local support = require("support")

local M = {}

function M.repositories()
  local trop = require("trop")
  trop.setup({ reserve_on_open = "always" })
  support.answer = function() end
  for _, each in ipairs(vim.json.decode(vim.env.TROP_TEST_HOSTILE)) do
    vim.cmd.enew()
    vim.cmd.cd(vim.fn.fnameescape(each.folder))
    trop.status()
    local err, result = support.call("reserve", { folder = each.folder })
    support.equal({ each.name, result ~= nil }, { each.name, each.answers })
    support.equal(err and vim.tbl_contains({ "config_error", "port_exhausted" }, err.data.kind), err and true)
    vim.cmd("Trop")
  end

  vim.cmd.cd(vim.env.TEST_REPOSITORY)
  trop.status()
  support.eventually("the port of what is one's own", function()
    return support.port(vim.env.TEST_REPOSITORY) ~= nil
  end)
  vim.cmd("Trop list")
  for _, note in ipairs(support.notes) do
    support.equal(note.text:match("[%z\1-\9\11-\31\127]"), nil)
  end
  io.stderr:write(vim.inspect({ support.notes, require("trop.log").lines(), vim.fn.getline(1, "$") }))
end

return M
