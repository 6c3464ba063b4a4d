// One POST to the server.

const REQUEST_MS = 10000; // ms for an answer: a request that hangs has one of the six connections of a browser
const LAST_WORDS = ['bye', 'measures']; // the page is gone before they have left

function createPost({address, addressOf, encode}) {
  // Returns {status, text, answer, isOurs}: `answer` is {} where that is not JSON, `isOurs` false where the answer is not
  // our server's. Raises what `fetch` raises, also where `request` is given up, and after `ms`.
  return async function post(message, query, request = new AbortController(), ms = REQUEST_MS) {
    const headers = {'Content-Type': 'application/json', 'X-HTAG-TOKEN': window.HTAG_CSRF ?? '', 'X-HTAG-TAB': query.tab};
    const url = address('event') + addressOf(query);
    const keepalive = LAST_WORDS.includes(message.action);
    const timer = setTimeout(() => request.abort(), ms);
    try {
      const {signal} = request;
      const redirect = 'manual'; // none is ours: it leads to a login, perhaps
      const response = await fetch(url, {method: 'POST', headers, body: encode(message), signal, keepalive, redirect});
      const text = await response.text();
      // another tab renewed the session's id
      window.HTAG_CSRF = response.headers.get('X-HTAG-TOKEN') ?? window.HTAG_CSRF;
      const isJson = text.startsWith('{');
      const isOurs = response.ok ? isJson : !isLogin(response, text);
      return {status: response.status, text, answer: isJson ? JSON.parse(text) : {}, isOurs};
    } finally {
      clearTimeout(timer);
    }
  };
}

// Whether a proxy in front refuses, or leads to where a person can log in.
const isLogin = ({status, type}, text) =>
  status === 401 || type === 'opaqueredirect' || (status === 403 && text.startsWith('<'));
