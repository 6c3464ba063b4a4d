// What form fields have besides their attributes: what a person typed or chose, which the server may not know yet.

const HEARD = 'heard '; // before the name of an attribute: what the server was told last

function createFields({foreign, calls}) {
  const typed = new Map(); // field -> {callback: id of its last event, heard: what that tells the server}
  const postponed = []; // until the composition is over
  let composing = null; // the field, or the element that is edited

  function noteTyped(field, callback) {
    const parts = partsOf(field).filter(stateOf);
    typed.set(field, {callback, heard: parts.map((part) => [part, stateOf(part), part[stateOf(part)]])});
  }

  // The server knows now what an event brought: the tag of the field has it, and that which a callable makes in its place.
  function answered(callback) {
    for (const [field, {callback: own, heard}] of typed) {
      if (own !== callback) continue;
      typed.delete(field);
      for (const [part, name, value] of heard) if (keyOf(part)) foreign.know(part, HEARD + name, asAttribute(value));
    }
  }

  // Whether the person is ahead of the server: what that says of the field is old.
  function isAhead(field) {
    return partsOf(field).some((part) => part.validity?.badInput || calls.waits(typed.get(fieldOf(part))?.callback));
  }

  // Whether `change` of an attribute must not be now, or never.
  function mustStay(element, name, change) {
    return begins(element, name) && (isAhead(fieldOf(element)) || waits(element, change));
  }

  // An attribute has become `text`.
  function write(element, name, text) {
    const value = name === 'value' ? (text ?? '') : text !== null;
    if (begins(element, name) && element[name] !== value) element[name] = value;
  }

  // Gives a choice back that was lost as options and radio buttons came and went.
  function restoreChoices() {
    for (const [field, {heard}] of typed) {
      if (!isAhead(field)) continue;
      for (const [part, name, value] of heard) {
        const heir = part.isConnected ? part : partsOf(field).find((one) => one.value === part.value);
        if (name !== 'value' && heir && heir[name] !== value) heir[name] = value;
      }
    }
  }

  // Does `change` when nothing is composed in `node` any more. True: that is later.
  function waits(node, change) {
    const isLater = composing?.contains(node);
    if (isLater) postponed.push(change);
    return isLater;
  }

  document.addEventListener('compositionstart', ({target}) => (composing = target), true);
  document.addEventListener('compositionend', () => (composing = null), true);
  return {noteTyped, answered, isAhead, mustStay, write, restoreChoices, waits, postponed};
}

const fieldOf = (part) => (part.localName === 'option' && part.closest('select')) || part;

// What changes together: options, radio buttons of one name.
function partsOf(field) {
  if (field.localName === 'select') return [...field.options];
  if (field.type !== 'radio' || !field.name) return [field];
  return [...document.getElementsByName(field.name)].filter(({type, form}) => type === 'radio' && form === field.form);
}

// The property that a person changes. A file is chosen by a person only; a textarea's value is no attribute.
function stateOf(part) {
  if (isTick(part)) return 'checked';
  if (part.localName === 'option') return 'selected';
  const isValue = part.localName === 'input' ? part.type !== 'file' : part.localName.includes('-') && 'value' in part;
  return isValue && 'value';
}

// Whether an attribute is only what a property begins with.
const begins = (element, name) => name === stateOf(element) || name === 'indeterminate';

const asAttribute = (value) => (typeof value === 'boolean' ? (value ? '' : null) : String(value));
