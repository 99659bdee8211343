-- wrk script: sends the requests of a file in their order. A line: path, cookie, body, "htmx" or nothing, parted by tabs.
local paths, cookies, bodies, askers = {}, {}, {}, {}
for line in io.lines(os.getenv("REQUESTS")) do
  local p, c, b, a = line:match("^([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)$")
  local n = #paths + 1
  paths[n], cookies[n], bodies[n], askers[n] = p, c, b, a
end
local csrf, again, at = os.getenv("CSRF"), os.getenv("REPEAT") ~= "", 0
local threads = {}
function setup(thread) threads[#threads + 1] = thread end
function init() statuses = {} end
function request()
  if at < #paths then at = at + 1 elseif again then at = 1 else wrk.thread:stop() end
  local headers = { ["Accept-Encoding"] = "gzip", ["Accept-Language"] = "vi" }
  if cookies[at] ~= "" then headers["Cookie"] = cookies[at] end
  if askers[at] ~= "" then headers["HX-Request"] = "true" end
  if bodies[at] == "" then return wrk.format("GET", paths[at], headers) end
  headers["X-CSRFToken"], headers["Content-Type"] = csrf, "application/x-www-form-urlencoded"
  return wrk.format("POST", paths[at], headers, bodies[at])
end
function response(status) statuses[status] = (statuses[status] or 0) + 1 end
function done(summary, latency)
  local seen = {}
  for _, thread in ipairs(threads) do
    for status, n in pairs(thread:get("statuses")) do seen[status] = (seen[status] or 0) + n end
  end
  local said = {}
  for status, n in pairs(seen) do said[#said + 1] = string.format('"%s": %d', status, n) end
  local e = summary.errors
  io.write(string.format('RESULT {"requests": %d, "us": %d, "p50": %.1f, "p95": %.1f, "errors": %d, "statuses": {%s}}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(95),
    e.connect + e.read + e.write + e.timeout, table.concat(said, ", ")))
end
