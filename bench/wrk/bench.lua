-- One load script for every server. The same pseudo-random sequence of ids, states and dates goes to each of them.
--   OPERATION  get | list | count (list with the total) | embed | create
--   DIALECT    planwerk | plain | pocketbase | directus | postgraphile
--   IDS        file with one order id a line          RELATION  id of a relation that orders may name
--   TELL       1: write the first refused answer to the error stream
--   HEADERS    further request headers, one a line    SEED      start of the sequence
local operation, dialect, relation = os.getenv("OPERATION"), os.getenv("DIALECT"), os.getenv("RELATION")
local STATUS = { "new", "planned", "in_prog", "on_hold", "done" }
local ids, sent = {}, 0
for line in io.lines(os.getenv("IDS")) do ids[#ids + 1] = line end

local headers = { ["Content-Type"] = "application/json", ["Accept"] = "application/json" }
for name, value in (os.getenv("HEADERS") or ""):gmatch("([^:\n]+): ([^\n]+)") do headers[name] = value end

function init(arguments) math.randomseed(tonumber(os.getenv("SEED") or "7")) end

local function hex(count)
  local digits = {}
  for i = 1, count do digits[i] = string.format("%x", math.random(0, 15)) end
  return table.concat(digits)
end
local function uuid() return hex(8) .. "-" .. hex(4) .. "-4" .. hex(3) .. "-8" .. hex(3) .. "-" .. hex(12) end
local function day() local month, date = math.random(1, 12), math.random(1, 28) return string.format("2026-%02d-%02d", month, date) end
local function status() return STATUS[math.random(#STATUS)] end
local function id() return ids[math.random(#ids)] end

-- Created orders are due before every filter's day, so that lists stay the same whatever was created before.
local function order_fields(key)
  sent = sent + 1
  return string.format('"code":"NEW%d","type":"Production","sub_type":"std","status":"new","description":"frame weld paint","date":"2025-05-01","due_date":"2025-06-01","quantity":%d,"priority":5,"color":"#aabbcc","external_ref":"ext-n-%s","note":"made by the load generator","created_at":"2026-11-23 10:00:00","updated_at":"2026-11-23 10:00:00"', sent, math.random(1, 400), key)
end
local function row_fields(position)
  return string.format('"code":"NEW-%d","description":"bend mill drill","quantity":%d,"unit":"pcs","price":12.5,"status":"new","position":%d,"created_at":"2026-11-23 10:00:00","updated_at":"2026-11-23 10:00:00"', position, math.random(1, 40), position)
end

local dialects = {}

-- Planwerk's order has neither priority nor color, its row no price; it has its own properties in their place.
local function planwerk_order()
  sent = sent + 1
  return string.format('"code":"NEW%d","type":"Production","sub_type":"std","status":"new","description":"frame weld paint","date":"2025-05-01","promised_date":"2025-06-01","quantity":%d,"contact":"load","relation_ref":"#aabbcc","external_ref":"ext-n-%s","note":"made by the load generator"', sent, math.random(1, 400), hex(16))
end
local function planwerk_row(position)
  return string.format('{"code":"NEW-%d","description":"bend mill drill","quantity":%d,"unit":"pcs","quantity_original":12.5,"status":"new","position":%d}', position, math.random(1, 40), position)
end
local function planwerk_list() return "/v1/order?limit=100&sort=promised_date:desc&filter=status:eq:" .. status() .. ",and,promised_date:gte:" .. day() end
dialects.planwerk = {
  get = function() return "GET", "/v1/order/" .. id() end,
  count = function() return "GET", planwerk_list() end,
  embed = function() return "GET", planwerk_list() .. "&with=order_rows,relation" end,
  create = function()
    return "POST", "/v1/order", "{" .. planwerk_order() .. ',"relation_id":"' .. relation .. '","order_rows":[' .. planwerk_row(0) .. "," .. planwerk_row(1) .. "," .. planwerk_row(2) .. "]}"
  end,
}

local function plain_list(path) return path .. "?status=" .. status() .. "&due_from=" .. day() .. "&limit=100" end
dialects.plain = {
  get = function() return "GET", "/orders/" .. id() end,
  list = function() return "GET", plain_list("/orders") end,
  count = function() return "GET", plain_list("/orders_count") end,
  embed = function() return "GET", plain_list("/orders_full") end,
  create = function()
    return "POST", "/orders", "{" .. order_fields(hex(16)) .. ',"relation_id":"' .. relation .. '","rows":[{' .. row_fields(0) .. "},{" .. row_fields(1) .. "},{" .. row_fields(2) .. "}]}"
  end,
}

local POCKETBASE = "/api/collections/orders/records"
local function pocketbase_list(options)
  return POCKETBASE .. "?" .. options .. "perPage=100&sort=-due_date&filter=status%3D%22" .. status() .. "%22%20%26%26%20due_date%3E%3D%22" .. day() .. "%22"
end
dialects.pocketbase = {
  get = function() return "GET", POCKETBASE .. "/" .. (id():gsub("-", "")) end,
  list = function() return "GET", pocketbase_list("skipTotal=1&") end,
  count = function() return "GET", pocketbase_list("") end,
  embed = function() return "GET", pocketbase_list("skipTotal=1&expand=relation_id,order_row_via_order_id&") end,
  create = function()
    local key = hex(32)
    local row = '{"method":"POST","url":"/api/collections/order_row/records","body":{"order_id":"' .. key .. '",'
    return "POST", "/api/batch", '{"requests":[{"method":"POST","url":"' .. POCKETBASE .. '","body":{"id":"' .. key .. '",' .. order_fields(key) .. ',"relation_id":"' .. relation:gsub("-", "") .. '"}},'
      .. row .. row_fields(0) .. "}}," .. row .. row_fields(1) .. "}}," .. row .. row_fields(2) .. "}}]}"
  end,
}

local DIRECTUS_FIELDS = "id,code,type,sub_type,status,description,date,due_date,quantity,priority,color,external_ref,relation_id,note,created_at,updated_at"
local function directus_list(fields) return "/items/orders?limit=100&sort=-due_date&fields=" .. fields .. "&filter[status][_eq]=" .. status() .. "&filter[due_date][_gte]=" .. day() end
dialects.directus = {
  get = function() return "GET", "/items/orders/" .. id() .. "?fields=" .. DIRECTUS_FIELDS end,
  list = function() return "GET", directus_list(DIRECTUS_FIELDS) end,
  count = function() return "GET", directus_list(DIRECTUS_FIELDS) .. "&meta=filter_count" end,
  embed = function() return "GET", directus_list((DIRECTUS_FIELDS:gsub("relation_id", "relation_id.*")) .. ",rows.*") end,
  create = function()
    local key = uuid()
    local function row(position) return '{"id":"' .. uuid() .. '",' .. row_fields(position) .. "}" end
    return "POST", "/items/orders", '{"id":"' .. key .. '",' .. order_fields(key) .. ',"relation_id":"' .. relation .. '","rows":[' .. row(0) .. "," .. row(1) .. "," .. row(2) .. "]}"
  end,
}

local GRAPHQL_ORDER = "id code type subType status description date dueDate quantity priority color externalRef relationId note createdAt updatedAt"
local GRAPHQL_RELATION = " relationByRelationId{id code name email phone city country externalRef note createdAt updatedAt}"
local GRAPHQL_ROWS = " orderRowsByOrderId(orderBy:POSITION_ASC){nodes{id orderId code description quantity unit price status position createdAt updatedAt}}"
local function graphql_list(before, nodes)
  return "POST", "/graphql", '{"query":"query($s:String!,$d:Date!){allOrders(first:100,orderBy:DUE_DATE_DESC,filter:{status:{equalTo:$s},dueDate:{greaterThanOrEqualTo:$d}}){'
    .. before .. "nodes{" .. nodes .. '}}}","variables":{"s":"' .. status() .. '","d":"' .. day() .. '"}}'
end
dialects.postgraphile = {
  get = function() return "POST", "/graphql", '{"query":"query($i:UUID!){orderById(id:$i){' .. GRAPHQL_ORDER .. '}}","variables":{"i":"' .. id() .. '"}}' end,
  list = function() return graphql_list("", GRAPHQL_ORDER) end,
  count = function() return graphql_list("totalCount ", GRAPHQL_ORDER) end,
  embed = function() return graphql_list("", GRAPHQL_ORDER .. GRAPHQL_RELATION .. GRAPHQL_ROWS) end,
}

local make = dialects[dialect][operation]
function request()
  local method, path, body = make()
  return wrk.format(method, path, headers, body)
end

-- The first refused answer, for the person who runs it; only in the warm-up, because looking at answers costs load.
local told = false
local function tell(code, _, body)
  if code >= 400 and not told then told = true io.stderr:write("HTTP ", code, " ", body:sub(1, 300), "\n") end
end
if os.getenv("TELL") == "1" then response = tell end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('RESULT {"requests":%d,"duration_us":%d,"bytes":%d,"errors":%d,"p50_us":%d,"p99_us":%d}\n',
    summary.requests, summary.duration, summary.bytes, errors.status + errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
