// After no_websocket.js: server-sent events fail in the same way, so that plain HTTP is left.
window.EventSource = window.WebSocket;
