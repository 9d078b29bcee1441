// Forwards requests to the bridge.
"use strict";
const http = require("node:http");

exports.toBridge = (bridge, request, response) => {
  const { method, headers, url } = request;
  const upstream = http.request(new URL(url, bridge), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  upstream.on("error", () => response.writeHead(502).end("502 Bad Gateway\n"));
  request.pipe(upstream);
};
