// Makes an event of the page a message to the server.

const ENVELOPE = 100; // bytes of a message besides what the event says, at most: its numbers
const FLAGS = ['isComposing', 'altKey', 'ctrlKey', 'metaKey', 'shiftKey', 'repeat']; // told where they are true

function createEvents({tab, calls, patch, report, later}) {
  let number = 0;
  // `holding`: what is typed can wait, once that is loaded
  const events = {htagEvent, send, holding: createEarlyHolding(send)};

  function htagEvent(id, name, event) {
    const isDom = event instanceof Event;
    // a focused element that is replaced says blur, its successor says focus: no person did that
    if (patch.isPatching && isDom && /^(focus|blur|change)/.test(event.type)) return Promise.resolve(null);
    const target = isDom && event.target instanceof Element ? event.target : null; // a browser may forget it
    const isInput = target && event.type === 'input';
    const {earlier, hold, flush} = events.holding;
    const owner = isInput && tagId(target) === id ? target : id; // a field that is made anew has another id each time
    const last = isInput && earlier(owner, target);
    if (!last) flush(false, isInput ? target : undefined);
    const one = Object.assign(last || begin(), {owner, id, name, event, target});
    (isInput ? hold : send)(one);
    return one.promise;
  }

  function begin() {
    const callback = `${tab}-${++number}`; // all tabs of a session get all answers: unique among them
    return {callback, promise: new Promise((resolve) => calls.add(callback, resolve))};
  }

  function send({id, name, event, target, callback}) {
    try {
      // as the server will see it: later changes by the caller do not matter, and what is not JSON fails here
      const text = JSON.stringify({...eventData(name, event, target), callback_id: callback});
      const message = {id, event: name, data: JSON.parse(text)};
      // a character has three bytes at most, four where they are concealed
      if (4 * text.length > window.HTAG_LIMIT && isTooLarge(message)) return refuse(callback);
      if (target && /^(input|change)$/.test(event.type)) patch.noteTyped(target, callback);
      window.htag_transport(message);
    } catch (error) {
      report('Client JavaScript Error', error);
      calls.settle(callback, null);
    }
  }

  // The server would end the connection: the person is told, and what was typed stays where it is.
  function refuse(callback) {
    later.say('large');
    calls.settle(callback, null);
  }

  return events;
}

// Until then only what is composed waits, for the end of the composition: a browser says `input` once more after that,
// or has said so before.
function createEarlyHolding(send) {
  const held = new Set();
  const earlier = (owner, target) => [...held].find((one) => one.owner === owner && one.target === target);
  const release = (one) => held.delete(one) && send(one);
  addEventListener('compositionend', () => setTimeout(() => held.forEach(release)), true);
  return {earlier, flush() {}, hold};

  function hold(one) {
    held.add(one);
    if (!one.event.isComposing) release(one);
  }
}

const isTick = ({type}) => type === 'checkbox' || type === 'radio';

const isTooLarge = (message) => new Blob([encode(message)]).size + ENVELOPE > window.HTAG_LIMIT;

function eventData(name, event, target) {
  if (event === undefined) return {};
  if (event === null || typeof event !== 'object') return {value: event};
  if (!(event instanceof Event)) return event;
  const {key, pageX, pageY, button, which, newURL, oldURL} = event;
  const data = {key, pageX, pageY, button, which, newURL, oldURL};
  for (const flag of FLAGS) if (event[flag] && event.type !== 'input') data[flag] = true;
  if (!target) return data;
  if (isTick(target)) data.checked = target.checked;
  data.value = data.checked ?? valueOf(target);
  if (name === 'submit' && target.tagName === 'FORM') data.value = formData(target);
  return data;
}

function valueOf(field) {
  const {multiple, selectedOptions} = field;
  return multiple && selectedOptions ? [...selectedOptions].map(({value}) => value) : field.value;
}

// The fields of `form` by name: a list where a name comes several times or a choice of several is offered, of a file its
// name.
function formData(form) {
  const data = {__proto__: null};
  for (const {name, form: own} of document.querySelectorAll('select[multiple]:enabled'))
    if (name && own === form) data[name] = [];
  for (const [name, given] of new FormData(form)) {
    const value = given.name ?? given;
    data[name] = name in data ? [data[name], value].flat() : value;
  }
  return data;
}
