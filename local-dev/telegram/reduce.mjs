// Makes bot-api.json, the form of the Bot API description the emulator checks calls against, from the long
// machine-readable description (the telegram-bot-api-spec form):  node reduce.mjs path/to/api.json > bot-api.json
// Deliberately not here: prose, links and return types. The emulator knows those by its own code.
//
// Output: {"version", "methods": {name: fields}, "types": {name: fields | [member types]}} where fields is
// {name: "TypeA|Array of TypeB"}; a trailing "!" means required; ="x" instead of a type is a constant.

import { readFileSync } from 'node:fs';

const api = JSON.parse(readFileSync(process.argv[2], 'utf8'));

/** The constant a union member is told by, if its description states one. */
function constantOf(type, field) {
  if (!type.subtype_of || field.types.join() !== 'String') return null;
  const said = /(?:always [“"]([^”"]+)[”"]|must be ([a-z0-9_]+))/.exec(field.description);
  return said ? (said[1] ?? said[2]) : null;
}

function reduceFields(type) {
  const out = {};
  for (const field of type.fields ?? []) {
    const constant = constantOf(type, field);
    out[field.name] = (constant ? `="${constant}"` : field.types.join('|')) + (field.required ? '!' : '');
  }
  return out;
}

const sections = { methods: {}, types: {} };
for (const [name, method] of Object.entries(api.methods)) sections.methods[name] = reduceFields(method);
for (const [name, type] of Object.entries(api.types)) sections.types[name] = type.subtypes ?? reduceFields(type);

const lines = [`{"version": ${JSON.stringify(api.version.replace('Bot API ', ''))}`];
for (const [section, entries] of Object.entries(sections)) {
  const rows = Object.entries(entries).map(([name, value]) => ` ${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  lines.push(`,"${section}": {\n${rows.join(',\n')}\n}`);
}
process.stdout.write(`${lines.join('\n')}}\n`);
