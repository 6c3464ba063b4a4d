// Shows what only the browser knows (its transport) or can count by itself (the session's age), without asking the server.
const NAMES = {ws: 'WebSocket', sse: 'SSE', http: 'plain HTTP'};
let transport = '…';
document.addEventListener('htag-connected', ({detail}) => (transport = NAMES[detail.transport]));
document.addEventListener('htag-disconnected', () => (transport = 'none, trying'));

setInterval(() => {
  const age = document.getElementById('age');
  if (!age) return;
  const seconds = Math.max(0, Math.floor(Date.now() / 1000 - age.dataset.since));
  show(age, seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`);
  show(document.getElementById('transport'), transport);
}, 500);

function show(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
