// Elements whose event waits for the connection.

const MARK_MS = 250; // ms between looks at what waits
const WAITING_STYLE = `:where([data-htag-waiting]) { cursor: progress; outline: 2px dashed GrayText; outline-offset: 2px }`;

function createMarks({queue}) {
  const since = new WeakMap(); // message -> when it was seen to wait
  let marked = new Set();
  let timer;

  const elementOf = ({id}) => document.getElementById(id) ?? document.querySelector(`[data-htag-id="${CSS.escape(id)}"]`);

  function look() {
    const now = performance.now();
    const waiting = queue.filter((message) => 'event' in message);
    for (const message of waiting) if (!since.has(message)) since.set(message, now);
    mark(waiting.filter((message) => now - since.get(message) >= NOTICE_MS).map(elementOf));
  }

  function mark(elements) {
    const next = new Set(elements.filter(Boolean));
    for (const element of marked) if (!next.has(element)) element.removeAttribute('data-htag-waiting');
    for (const element of next) element.setAttribute('data-htag-waiting', '');
    marked = next;
  }

  return {
    begin: () => (timer ??= setInterval(look, MARK_MS)),
    end() {
      timer = clearInterval(timer);
      mark([]);
    },
  };
}
