// Shows what only the browser knows (its transport) or can count by itself (the session's age), without asking the server.
setInterval(() => {
  const transport = document.getElementById('transport');
  const age = document.getElementById('age');
  if (!transport || !age) return;
  transport.textContent = window.use_pure_http ? 'plain HTTP' : window.use_fallback ? 'SSE' : 'WebSocket';
  const seconds = Math.max(0, Math.floor(Date.now() / 1000 - age.dataset.since));
  age.textContent = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}, 500);
