/** Runs in the browser: plain JavaScript without backticks, so that it can stand in a template. */
export const GRAPHIQL_SCRIPT = String.raw`
'use strict';
const at = (id) => document.getElementById(id);
const endpoint = location.pathname.replace(/\/graphiql\/?$/, '/graphql');
const EXAMPLES = {
  'Fleet': '{\n  fleet {\n    byStatus { status cars }\n    byFreshness { freshness cars }\n    score { p50 p90 p95 p99 }\n    top(first: 5) { id status score { ratio topSignals { signal share } } }\n    coverage { cars measured asOf }\n  }\n}',
  'Cars by score': '{\n  cars(orderBy: { field: SCORE, direction: DESC }, first: 10) {\n    nodes { id status freshness lastSeenAt score { ratio } }\n    pageInfo { hasNextPage endCursor }\n  }\n}',
  'One car with history': 'query ($id: ID!) {\n  car(id: $id) {\n    id status freshness lastSeenAt\n    signals { speed coolantTemp batteryVoltage tirePressure11 }\n    score { value threshold anomalous }\n    counters { readings late duplicate }\n    history(last: 10) { nodes { at signals { speed } score { ratio } } }\n  }\n}',
  'Anomalies': '{\n  anomalies(first: 10) {\n    totalCount\n    nodes { id kind status severity openedAt clearedAt car { id status } }\n  }\n}',
  'Live: anomalies': 'subscription {\n  anomalies {\n    ... on AnomalyEvent { event kind severity ratio at carId cursor }\n    ... on ResyncRequired { reason cursor }\n  }\n}',
  'Live: cars': 'subscription {\n  carUpdates {\n    ... on CarUpdate { car { id status lastSeenAt score { ratio } } }\n    ... on ResyncRequired { reason cursor }\n  }\n}',
};
const KEPT = 100;
let socket = null;
let begun = 0;

function show(value) { at('answer').textContent = typeof value === 'string' ? value : JSON.stringify(value, null, 2); }
function say(text, fault) { at('state').textContent = text; at('state').className = fault ? 'fault' : ''; }
// Kept nowhere: it is gone with the page.
function credentials() { const token = at('token').value.trim(); return token === '' ? {} : { authorization: 'Bearer ' + token }; }
function variables() { const text = at('variables').value.trim(); return text === '' ? {} : JSON.parse(text); }

async function ask(query, values) {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: Object.assign({ 'content-type': 'application/json' }, credentials()),
    body: JSON.stringify({ query: query, variables: values }),
  });
  return response.json();
}

function stop(text) {
  if (socket) { const old = socket; socket = null; old.onclose = null; old.close(1000); say(text || 'Stopped'); }
  at('stop').disabled = true;
}

function subscribe(query, values) {
  const items = [];
  const url = location.origin.replace(/^http/, 'ws') + endpoint;
  const mine = socket = new WebSocket(url, 'graphql-transport-ws');
  const send = (message) => mine.send(JSON.stringify(message));
  at('stop').disabled = false;
  show('');
  say('Connecting…');
  mine.onopen = () => send({ type: 'connection_init', payload: credentials() });
  mine.onclose = () => { at('stop').disabled = true; say('The connection was closed', true); };
  mine.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message.type === 'connection_ack') {
      send({ id: '1', type: 'subscribe', payload: { query: query, variables: values } });
      say('Listening…');
    } else if (message.type === 'next') {
      items.unshift(message.payload);
      items.length = Math.min(items.length, KEPT);
      begun += 1;
      say(begun + ' received, newest first');
      show(items);
    } else if (message.type === 'error') { show({ errors: message.payload }); stop('Refused'); }
    else if (message.type === 'complete') stop('Complete');
    else if (message.type === 'ping') send({ type: 'pong' });
  };
}

async function run() {
  stop(' ');
  const query = at('query').value;
  localStorage.setItem('fleet-twin-query', query);
  localStorage.setItem('fleet-twin-variables', at('variables').value);
  try {
    const values = variables();
    if (/^\s*(#[^\n]*\n\s*)*subscription\b/.test(query)) { begun = 0; return subscribe(query, values); }
    say('Asking…');
    const start = performance.now();
    const answer = await ask(query, values);
    show(answer);
    say((answer.errors ? 'Errors, ' : '') + Math.round(performance.now() - start) + ' ms', Boolean(answer.errors));
  } catch (fault) { say(String(fault.message || fault), true); }
}

const typeText = (type) => type.kind === 'NON_NULL' ? typeText(type.ofType) + '!'
  : type.kind === 'LIST' ? '[' + typeText(type.ofType) + ']' : type.name;

function element(name, text, parent) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  parent.append(made);
  return made;
}

function showType(type, parent, openNow) {
  const box = element('details', '', parent);
  box.open = openNow;
  element('summary', type.name, box);
  if (type.description) element('dd', type.description, box);
  const list = element('dl', '', box);
  for (const field of type.fields || type.inputFields || []) {
    const args = (field.args || []).map((arg) => arg.name + ': ' + typeText(arg.type)).join(', ');
    const line = element('dt', '', list);
    element('b', field.name, line);
    line.append((args ? '(' + args + ')' : '') + ': ' + typeText(field.type));
    if (field.description) element('dd', field.description, list);
  }
  for (const value of type.enumValues || []) {
    element('b', value.name, element('dt', '', list));
    if (value.description) element('dd', value.description, list);
  }
  for (const member of type.possibleTypes || []) element('dt', member.name, list);
}

let types = [];
function showSchema() {
  const wanted = at('find').value.trim().toLowerCase();
  const names = (type) => [type.name].concat((type.fields || type.inputFields || type.enumValues || []).map((each) => each.name));
  at('schema').replaceChildren();
  for (const type of types)
    if (names(type).some((name) => name.toLowerCase().includes(wanted)))
      showType(type, at('schema'), wanted !== '' || type.name === 'Query' || type.name === 'Subscription');
}

async function readSchema() {
  const TYPE = 'kind name ofType { kind name ofType { kind name ofType { kind name } } }';
  const answer = await ask('{ __schema { types { kind name description possibleTypes { name } enumValues { name description }'
    + ' inputFields { name description type { ' + TYPE + ' } }'
    + ' fields { name description type { ' + TYPE + ' } args { name type { ' + TYPE + ' } } } } } }');
  const first = ['Query', 'Subscription', 'Mutation', 'Car', 'Reading', 'Anomaly', 'Fleet'];
  const rank = (type) => first.indexOf(type.name) + 1 || 99;
  if (!answer.data) throw new Error(answer.errors[0].message);
  types = answer.data.__schema.types.filter((type) => !type.name.startsWith('__'))
    .sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
  showSchema();
}

for (const name of Object.keys(EXAMPLES)) element('option', name, at('examples')).value = name;
at('examples').onchange = () => {
  const name = at('examples').value;
  if (!name) return;
  at('query').value = EXAMPLES[name];
  at('variables').value = EXAMPLES[name].includes('$id') ? '{ "id": "car1" }' : '';
  at('examples').value = '';
};
at('run').onclick = run;
at('stop').onclick = () => stop();
at('find').oninput = showSchema;
at('token').onchange = () => readSchema().catch((fault) => say('The schema cannot be read: ' + fault.message, true));
addEventListener('keydown', (event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); run(); } });
at('query').addEventListener('keydown', (event) => {
  if (event.key !== 'Tab' || event.shiftKey) return;
  event.preventDefault();
  at('query').setRangeText('  ', at('query').selectionStart, at('query').selectionEnd, 'end');
});
const given = new URLSearchParams(location.search);
at('query').value = given.get('query') || localStorage.getItem('fleet-twin-query') || EXAMPLES['Fleet'];
at('variables').value = given.get('variables') || localStorage.getItem('fleet-twin-variables') || '';
readSchema().catch((fault) => say('The schema cannot be read: ' + fault.message, true));
`;
