-- Sends the requests of the file REQUESTS in rotation.
-- A line is a token ("-" for none), a tab, and a body (empty for a GET). A body is JSON or a form.
-- A response is correct if it has status 200, no GraphQL errors, and contains EXPECTED.
--
-- With CHAIN, each request carries the refresh token of its last response. This needs as many
-- threads as connections, so that a thread knows which request is answered. Each has its own lines.
local lines, requests, number = {}, {}, 0
local expected, chain = os.getenv("EXPECTED"), os.getenv("CHAIN")
local threads = {}
failed = 0

for line in io.lines(os.getenv("REQUESTS")) do
  lines[#lines + 1] = line
end

local function format(line)
  local token, body = line:match("^([^\t]*)\t(.*)$")
  local is_json = body == "" or body:sub(1, 1) == "{"
  local headers = { ["Content-Type"] = is_json and "application/json" or "application/x-www-form-urlencoded" }
  if token ~= "-" then
    headers["Authorization"] = "Bearer " .. token
  end
  return wrk.format(body == "" and "GET" or "POST", nil, headers, body ~= "" and body or nil)
end

function setup(thread)
  threads[#threads + 1] = thread
  thread:set("first", #threads)
end

function init()
  local own = {}
  for i = first, #lines, tonumber(os.getenv("THREADS")) do
    own[#own + 1] = lines[i]
    requests[#own] = format(lines[i])
  end
  lines = own
end

function request()
  number = number % #requests + 1
  return requests[number]
end

function response(status, _, body)
  if status ~= 200 or body:find('"errors"', 1, true) or not body:find(expected, 1, true) then
    failed = failed + 1
    if failed == 1 then
      io.stderr:write(status, " ", body, "\n")
    end
  elseif chain then
    local token = body:match('"refreshToken": ?"([^"]+)"')
    lines[number] = lines[number]:gsub('"token":"[^"]*"', '"token":"' .. token .. '"')
    requests[number] = format(lines[number])
  end
end

function done(summary, latency)
  local errors = 0
  for _, thread in ipairs(threads) do
    errors = errors + thread:get("failed")
  end
  for _, count in pairs(summary.errors) do
    errors = errors + count
  end
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "failed": %d, "p50": %f, "p99": %f}\n',
    summary.requests, summary.duration, errors, latency:percentile(50), latency:percentile(99)
  ))
end
