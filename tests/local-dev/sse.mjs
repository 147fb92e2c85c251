// What the tests of the stand-ins read streams with. Deliberately not here: a parser that forgives.

/** The objects of the `data:` lines; throws on anything but data, comments and blank lines. */
export function eventsOf(text) {
  return text.split(/\r?\n/).flatMap((line) => {
    if (line === '' || line.startsWith(':') || line === 'data: [DONE]') return [];
    if (!line.startsWith('data: ')) throw new Error(`not an event: ${line.slice(0, 80)}`);
    return [JSON.parse(line.slice('data: '.length))];
  });
}
