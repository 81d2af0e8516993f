// The terminal's own script starts at "load" and reads where its session is: at the place that this page came from.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  document.getElementById("terminal").dataset.sessionWebsocketUrl = `${scheme}//${location.host}/ws`;
  document.getElementById("again").addEventListener("click", () => location.reload());
});

window.addEventListener("load", () => setTimeout(() => document.querySelector(".xterm-helper-textarea")?.focus(), 0));
