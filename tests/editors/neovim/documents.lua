--- The buffers of trop.yaml.
local support = require("support")

local M = {}
local repository = vim.env.TEST_REPOSITORY

local function edit(name)
  vim.fn.writefile({ "project: shop" }, repository .. "/" .. name)
  vim.cmd.edit(vim.fn.fnameescape(repository .. "/" .. name))
  return vim.api.nvim_get_current_buf()
end

local function attached(bufnr)
  return vim.lsp.get_clients({ bufnr = bufnr, name = "trop" })
end

local function to_be_attached(bufnr)
  return support.eventually("a server that is attached", function()
    return attached(bufnr)[1]
  end)
end

function M.attached()
  local project = edit("trop.yaml")
  to_be_attached(project)
  local own = edit("trop.local.yaml")
  to_be_attached(own)
  local other = edit("other.yaml")

  support.equal(vim.bo[project].filetype, "yaml.trop")
  support.equal(vim.bo[own].filetype, "yaml.trop")
  support.equal(vim.bo[other].filetype, "yaml")
  support.equal(attached(other), {})
  support.equal(#vim.lsp.get_clients(), 1)
  -- To look at the file reserves nothing.
  support.equal(support.port(repository), nil)
  support.equal(support.notes, {})
end

function M.nearly_the_right_name()
  for _, name in ipairs({ "trop.yml", "trop.local.yml", ".trop.yaml", "Trop.yaml" }) do
    local bufnr = edit(name)
    local right = name:find("local") and "trop.local.yaml" or "trop.yaml"
    local told = support.eventually("a diagnostic of " .. name, function()
      return vim.diagnostic.get(bufnr)[1]
    end)

    support.equal(told.code, "near_miss")
    support.contains(told.message, "the file has to be called " .. right)
  end

  vim.cmd.edit(repository .. "/workshop.yml")
  support.equal(vim.bo.filetype, "yaml")
end

function M.attached_again()
  local project = edit("trop.yaml")
  local first = to_be_attached(project).id

  vim.cmd("Trop restart")

  support.eventually("another server that is attached", function()
    local now = attached(project)
    return #now == 1 and now[1].id ~= first
  end)
end

function M.judged_as_it_is_typed()
  local bufnr = edit("trop.yaml")
  to_be_attached(bufnr)

  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, { "projekt: shop 😀", "reservations: {services: {web: {}}}" })
  local told = support.eventually("a diagnostic", function()
    return vim.diagnostic.get(bufnr)[1]
  end)
  vim.api.nvim_buf_set_lines(bufnr, 0, 1, false, { "project: shop" })
  support.eventually("no diagnostic", function()
    return #vim.diagnostic.get(bufnr) == 0
  end)

  support.equal(told.message, "unknown key: did you mean project?")
  support.equal({ told.lnum, told.col, told.end_col, told.source, told.code }, { 0, 0, 7, "trop", "config_error" })
end

local function asked(bufnr, method, params)
  params.textDocument = { uri = vim.uri_from_bufnr(bufnr) }
  return attached(bufnr)[1].request_sync("textDocument/" .. method, params, 10000, bufnr).result
end

function M.explained_and_completed()
  local bufnr = edit("trop.yaml")
  to_be_attached(bufnr)
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, { "reservations: {services: {web: {}}}", "" })

  local hover = asked(bufnr, "hover", { position = { line = 0, character = 3 } })
  local offered = asked(bufnr, "completion", { position = { line = 1, character = 0 } })
  local hints = asked(bufnr, "inlayHint", {
    range = { start = { line = 0, character = 0 }, ["end"] = { line = 2, character = 0 } },
  })

  support.equal(vim.split(hover.contents.value, "\n")[1], "reservations")
  support.equal(offered.items[1].label, "project")
  support.equal(hints[1].label, "not reserved")
end

function M.hints_follow()
  local bufnr = edit("trop.yaml")
  to_be_attached(bufnr)
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, { "reservations: {services: {web: {}}}" })
  vim.cmd.write()
  vim.lsp.inlay_hint.enable(true, { bufnr = bufnr })

  local function shown(text)
    support.eventually("no hint " .. text, function()
      vim.cmd.redraw()
      local screen = {}
      for column = 1, 80 do
        screen[column] = vim.fn.screenstring(1, column)
      end
      return table.concat(screen):find(text, 1, true) ~= nil
    end)
  end

  shown("not reserved")
  support.trop(vim.fn.expand("%:p:h"), "autoreserve")
  shown("5000")
end

--- What is offered of a text that is not saved saves it, and says what was done; a release asks.
function M.offered()
  local bufnr = edit("trop.yaml")
  to_be_attached(bufnr)
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, { "reservations: {services: {web: {}, api: {}}}" })
  vim.api.nvim_win_set_cursor(0, { 1, 20 })
  local reserve = "Save and reserve the services"
  support.answer_with(reserve)
  support.eventually("the action", function()
    local lens = (asked(bufnr, "codeLens", {}) or {})[1]
    return lens and lens.command.title == reserve
  end)

  vim.lsp.buf.code_action()
  local said = support.note("services (created)").text

  support.equal(said, "trop: services (created): web 5000, api 5001")
  support.equal(vim.bo[bufnr].modified, false)
  support.equal(vim.fn.readfile(repository .. "/trop.yaml"), { "reservations: {services: {web: {}, api: {}}}" })

  local release = "Release 5001"
  support.eventually("the lens", function()
    vim.lsp.codelens.refresh({ bufnr = bufnr })
    return vim.iter(vim.lsp.codelens.get(bufnr)):any(function(lens)
      return lens.command.title == release
    end)
  end)
  support.questions = {}
  local wanted = { release, "Leave" }
  support.answer = function(choices, question)
    for index, shown in ipairs(question.choices) do
      if shown == wanted[#support.questions] then
        return choices[index]
      end
    end
  end
  vim.lsp.codelens.run()
  support.eventually("the question", function()
    return support.questions[2]
  end)
  support.equal(support.questions[2].prompt, ("Release 5001 (api) of %s?"):format(repository))
  support.equal(support.port(repository, "api"), 5001)

  support.questions, wanted = {}, { release, "Release" }
  vim.lsp.codelens.run()
  support.note("released 5001 (api)")
  support.equal(support.port(repository, "api"), nil)
end

--- A file that cannot be saved is not reserved as it was.
function M.offered_of_what_cannot_be_saved()
  local bufnr = edit("trop.yaml")
  to_be_attached(bufnr)
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, { "reservations: {services: {web: {}}}" })
  vim.bo[bufnr].readonly = true

  vim.cmd("Trop services")

  support.contains(support.note("could not be saved").text, "readonly")
  support.equal(support.port(repository, "web"), nil)

  -- Somebody else writes this buffer, and does not, without an error.
  vim.bo[bufnr].readonly = false
  vim.api.nvim_create_autocmd("BufWriteCmd", { buffer = bufnr, callback = function() end })
  vim.cmd("Trop services")
  support.contains(support.note("it was not written").text, "nothing was reserved")
  support.equal(support.port(repository, "web"), nil)
end

--- A correction of a text that has changed while it was offered changes nothing.
function M.offered_too_late()
  local bufnr = edit("trop.yaml")
  to_be_attached(bufnr)
  local wrong, right = { "projekt: shop", "excluded_ports: [5001]" }, { "project: shop", "excluded_ports: [5001]" }
  local typed = { "excluded_ports: [5001]", "project: shop" }
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, wrong)
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
  local function corrected(meanwhile)
    support.eventually("the correction", function()
      local range = { start = { line = 0, character = 0 }, ["end"] = { line = 0, character = 0 } }
      return (asked(bufnr, "codeAction", { range = range, context = { diagnostics = {} } }) or {})[1]
    end)
    local offered
    support.answer = function(choices)
      meanwhile()
      offered = true
      return choices[1]
    end
    vim.lsp.buf.code_action()
    support.eventually("what is offered", function()
      return offered
    end)
    return vim.api.nvim_buf_get_lines(bufnr, 0, -1, false)
  end

  support.equal(
    corrected(function()
      vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, typed)
    end),
    typed
  )
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, wrong)
  support.equal(corrected(function() end), right)
end

--- A tag gets the port that the file as it is seen gives it.
function M.saved_for_a_tag()
  local bufnr = edit("trop.yaml")
  to_be_attached(bufnr)
  local line = "reservations: {services: {web: {preferred: 6300}}}"
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, { line })

  vim.cmd("Trop reserve web")

  support.note("port 6300 for")
  support.equal(vim.fn.readfile(repository .. "/trop.yaml"), { line })
end

--- What does not count where something is reserved stays as it is: a file above the repository, or above a nearer one.
function M.saved_as_far_as_it_counts()
  local function typed(name, line)
    local bufnr = edit(name)
    vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, { line })
    return bufnr
  end
  local inner = repository .. "/apps/shop"
  vim.fn.mkdir(inner, "p")
  local outside = typed("../trop.yaml", "project: outside")
  local above = typed("trop.yaml", "project: above")
  local own = typed("apps/shop/trop.yaml", "reservations: {services: {web: {}}}")

  local command = { command = "trop.reserveGroup", arguments = { { config = inner .. "/trop.yaml" } } }
  require("trop.offered")[command.command](command)
  support.note("services (created)")
  support.equal({ vim.bo[outside].modified, vim.bo[above].modified, vim.bo[own].modified }, { true, true, false })

  vim.cmd("Trop reserve web")
  support.note("port ")
  support.equal({ vim.bo[outside].modified, vim.bo[above].modified }, { true, false })
  support.equal(vim.fn.readfile(vim.fs.dirname(repository) .. "/trop.yaml"), { "project: shop" })
end

--- What somebody else has written meanwhile is shown before it is reserved.
function M.changed_on_disk()
  local bufnr = edit("trop.yaml")
  to_be_attached(bufnr)
  local theirs = { "# written by somebody else", "reservations: {services: {theirs: {}}}" }
  vim.fn.writefile(theirs, repository .. "/trop.yaml")

  vim.cmd("Trop services")

  support.note("nothing was reserved, for " .. repository .. "/trop.yaml has changed on disk")
  support.equal(vim.api.nvim_buf_get_lines(bufnr, 0, -1, false), theirs)
  support.equal(support.port(repository, "theirs"), nil)
  vim.cmd("Trop services")
  support.note(": theirs 5000")
end

function M.laid_out_anew()
  local file = repository .. "/trop.yaml"
  vim.fn.writefile({ "reservations: {services: {web: {preferred: 6100}, api: {preferred: 6200}}}" }, file)
  support.trop(repository, "autoreserve")
  vim.fn.writefile({ "reservations: {services: {web: {preferred: 6300}, api: {preferred: 6200}}}" }, file)
  local command = { command = "trop.reserveGroup", arguments = { { config = file, force = true } } }
  local function question_before(answer)
    support.answer_with(answer)
    support.questions = {}
    require("trop.offered")[command.command](command)
    return support.eventually("the question", function()
      return support.questions[1]
    end)
  end

  support.contains(question_before("Leave").prompt, "Give up 6100 (web) of ")
  support.equal(support.port(repository, "web"), 6100)

  -- Somebody writes the file while the question stands there: what it did not name stays.
  support.questions = {}
  support.answer = function(choices)
    if #support.questions > 1 then
      return nil
    end
    vim.fn.writefile({ "reservations: {services: {web: {preferred: 6300}, api: {preferred: 6400}}}" }, file)
    return choices[1]
  end
  require("trop.offered")[command.command](command)
  support.eventually("the question that is asked anew", function()
    return support.questions[2]
  end)
  support.contains(support.questions[2].prompt, "Give up 6200 (api), 6100 (web) of ")
  support.equal({ support.port(repository, "web"), support.port(repository, "api") }, { 6100, 6200 })
  vim.fn.writefile({ "reservations: {services: {web: {preferred: 6300}, api: {preferred: 6200}}}" }, file)
  question_before("Reserve others")
  support.note("services (reallocated): api 6200, web 6300")
  support.equal(support.port(repository, "web"), 6300)
end

function M.missing()
  vim.g.trop = { cmd = "/nowhere/trop-server" }
  edit("trop.yaml")
  edit("trop.local.yaml")
  support.note("is not an executable file")

  support.equal(#support.notes, 1)
end

function M.enabled_without_the_plugin()
  local given = dofile(vim.api.nvim_get_runtime_file("lsp/trop.lua", false)[1])
  support.equal(given.filetypes, { "yaml", "yaml.trop" })
  support.equal(given.cmd, { "trop-server" })
  support.equal({ given.commands, given.init_options }, { require("trop.offered"), { savesFirst = true } })
  local roots = {}
  for _, name in ipairs({ "trop.yaml", "trop.local.yaml", "Trop.yml", "other.yaml", "atrop.yaml" }) do
    local bufnr = vim.fn.bufadd(repository .. "/" .. name)
    given.root_dir(bufnr, function(root)
      table.insert(roots, { name, root })
    end)
  end
  local expected = { { "trop.yaml", repository }, { "trop.local.yaml", repository }, { "Trop.yml", repository } }
  support.equal(roots, expected)
end

return M
