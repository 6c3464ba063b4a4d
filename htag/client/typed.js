// What was typed, over the one reload that a page has to do by itself: in sessionStorage, which is the tab's own.

const KEPT_MS = 600000; // ms for which what was typed is kept: a person logs in again meanwhile
const SECRET = /password|file|hidden|one-time-code|^cc-/;

function createTyped({basePath, storage}) {
  const key = `htag_typed ${basePath}`;
  const fields = () => [...document.querySelectorAll('input, textarea, select')];
  const isSecret = ({type, autocomplete}) => SECRET.test(type) || SECRET.test(autocomplete);

  // Where a field is: of the page that is loaded in the place of this one, it is at the same place.
  function placeOf(element) {
    const steps = [element.type, element.name];
    for (let at = element; at.parentElement; at = at.parentElement) steps.push([...at.parentElement.children].indexOf(at));
    return steps.join('/');
  }

  function keep() {
    const changed = fields().filter((one) => !isSecret(one) && String(valueOf(one)) !== String(defaultOf(one)));
    const kept = changed.map((one) => [placeOf(one), valueOf(one)]);
    storage?.setItem(key, JSON.stringify({at: Date.now(), kept}));
  }

  function restore() {
    const {at, kept} = JSON.parse(storage?.getItem(key) ?? '{}');
    storage?.removeItem(key);
    if (!(Date.now() - at < KEPT_MS)) return;
    const found = new Map(kept);
    for (const field of fields()) if (found.has(placeOf(field))) give(field, found.get(placeOf(field)));
  }

  return {keep, restore};
}

const isTick = ({type}) => type === 'checkbox' || type === 'radio';
const chosen = (options, property) => [...options].filter((option) => option[property]).map(({index}) => index);

function valueOf(field) {
  if (isTick(field)) return field.checked;
  return field.options ? chosen(field.options, 'selected') : field.value;
}

function defaultOf(field) {
  if (isTick(field)) return field.defaultChecked;
  if (!field.options) return field.defaultValue;
  const indexes = chosen(field.options, 'defaultSelected');
  return indexes.length || field.type !== 'select-one' ? indexes : [0]; // a browser chooses the first then
}

// As if it had been typed now: the server is to know it as well.
function give(field, value) {
  if (isTick(field)) field.checked = value;
  else if (field.options) for (const option of field.options) option.selected = value.includes(option.index);
  else field.value = value;
  for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, {bubbles: true}));
}
