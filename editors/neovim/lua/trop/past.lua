--- What was done to the reservations, and taking it back.
local call = require("trop.call")
local messages = require("trop.messages")
local planned = require("trop.planned")
local question = require("trop.question")
local window = require("trop.window")

local M = {}

local SHOWN_OPERATIONS = 100

--- A time as it comes over the wire, for a column that says that it is in UTC.
---@param time string
---@return string
local function in_utc(time)
  return (time:gsub("T", " "):gsub("Z$", ""))
end

--- What became of the ports of an operation; of one that changed very many, how many those are.
---@param operation trop.PastOperation
---@return string
local function changes_in_words(operation)
  if #operation.changes == 0 or #operation.changes < operation.changed then
    return operation.summary
  end
  local rows = { reserved = {}, moved = {}, ["given up"] = {}, changed = {} }
  local old = {}
  for _, change in ipairs(operation.changes) do
    if change.before and not change.after then
      old[change.before.port] = true
    end
  end
  local new = {}
  for _, change in ipairs(operation.changes) do
    if change.before and change.after then
      table.insert(rows.changed, change.after)
    elseif change.after then
      new[change.after.port] = true
      table.insert(old[change.after.port] and rows.moved or rows.reserved, change.after)
    end
  end
  for _, change in ipairs(operation.changes) do
    if not change.after and not new[change.before.port] then
      table.insert(rows["given up"], change.before)
    end
  end
  local parts = {}
  for _, what in ipairs({ "reserved", "moved", "given up", "changed" }) do
    if #rows[what] > 0 then
      table.insert(parts, messages.ports(rows[what]) .. " " .. what)
    end
  end
  return table.concat(parts, "; ")
end

--- Show what was done last, the newest first.
function M.history()
  call.execute("trop.history", { limit = SHOWN_OPERATIONS }, function(result)
    if #result.operations == 0 then
      return messages.info("nothing is on record", result)
    end
    local rows = { { "NUMBER", "TIME (UTC)", "WHAT", "COMMAND", "DOOR", "DIRECTORY", "UNDONE BY" } }
    for _, operation in ipairs(result.operations) do
      table.insert(rows, {
        tostring(operation.id),
        in_utc(operation.time),
        changes_in_words(operation),
        operation.command,
        operation.door,
        operation.directory and messages.path(operation.directory) or "-",
        operation.undoneBy and tostring(operation.undoneBy) or "-",
      })
    end
    if result.truncated then
      table.insert(rows, { "…" })
    end
    messages.warnings(result)
    window.show_table("trop://history", rows)
  end)
end

--- What is not there any more afterwards. What is there before and after has changed otherwise, and comes back.
---@param result trop.UndoResult
---@return trop.Reservation[]
local function given_up(result)
  local function key(reservation)
    return ("%d\0%s\0%s"):format(reservation.port, reservation.path, reservation.tag or "")
  end
  local back = {}
  for _, reservation in ipairs(result.restored) do
    back[key(reservation)] = true
  end
  return vim.tbl_filter(function(reservation)
    return not back[key(reservation)]
  end, result.removed)
end

--- What has become of the reservations, in numbers: of all together where not all are listed.
---@param result trop.UndoResult
---@return string
local function fate(result)
  local back = result.truncated and result.changed or #result.restored
  local words = {}
  if back > 0 then
    table.insert(words, messages.counted(back) .. " as before")
  end
  if result.changed > back then
    table.insert(words, messages.counted(result.changed - back) .. " given up")
  end
  return table.concat(words, ", ")
end

---@param result trop.UndoResult
---@param gone trop.Reservation[]
---@return string[]
local function undone_in_words(result, gone)
  local lines = {}
  -- What is lost comes first: there may be no room for all.
  for _, reservation in ipairs(gone) do
    table.insert(lines, "given up: " .. messages.line(reservation))
  end
  for _, reservation in ipairs(result.restored) do
    table.insert(lines, "comes back: " .. messages.line(reservation))
  end
  if result.truncated then
    table.insert(lines, "…")
  end
  return vim.list_extend(lines, result.warnings)
end

---@param result trop.UndoResult
---@param gone trop.Reservation[]
---@return string
local function wording(result, gone)
  local ports = {}
  for _, reservation in ipairs(result.restored) do
    ports[reservation.port] = true
  end
  -- A port that moves back is not lost.
  local lost = vim.tbl_filter(function(reservation)
    return not ports[reservation.port]
  end, gone)
  local parts = {}
  if #result.restored > 0 then
    table.insert(parts, messages.ports(result.restored) .. (#result.restored == 1 and " comes" or " come") .. " back")
  end
  if #lost > 0 then
    table.insert(parts, messages.ports(lost) .. (#lost == 1 and " is" or " are") .. " given up")
  end
  return ("Undo operation %d, %s: %s?"):format(result.operation, result.command, table.concat(parts, "; "))
end

--- Take an operation back: the one with that number, else the last that touched the folder.
---@param bang boolean whether nothing is asked
---@param number string?
function M.undo(bang, number)
  if number and not number:match("^%d+$") then
    return messages.usage(("%s is no number of an operation; :Trop history shows them"):format(number))
  end
  -- The folder is not opened: one that opens may get a port, and that would be the last operation.
  local folder = not number and call.here() or nil
  if not number and not folder then
    return
  end
  -- What it touches elsewhere stands in the question.
  local argument = { folder = folder, id = tonumber(number), allowUnrelatedPath = true }
  local function done(result)
    messages.info(("undone operation %d: %s"):format(result.operation, fate(result)), result)
  end
  if bang then
    return call.execute("trop.undo", argument, done)
  end
  planned.run("trop.undo", argument, function(result, agreed)
    local gone = given_up(result)
    question.ask(wording(result, gone), "Undo", agreed, undone_in_words(result, gone))
  end, done)
end

return M
