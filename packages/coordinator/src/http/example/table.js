// The visitor fills in a row, or gives rows of a CSV file.
start(({ features }) => {
  const form = find('row');
  // Wider tables are given as rows of a file.
  if (features.length <= 60) {
    for (const feature of features) {
      const label = element('label', feature.unit ? `${feature.name} (${feature.unit})` : feature.name);
      label.append(feature.kind === 'category' ? choice(feature) : number(feature));
      form.append(label);
    }
    form.append(element('button', t.predict));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      ask([{ input: Object.fromEntries(new FormData(form)) }]);
    });
  }
  find('rows').addEventListener('input', ({ target }) => askRows(target.value));
  find('file').addEventListener('change', async ({ target }) => {
    if (target.files[0] !== undefined) askRows(await target.files[0].text());
  });
});

function number({ name, mean }) {
  return Object.assign(element('input'), { name, type: 'number', step: 'any', required: true, value: mean });
}

function choice({ name, values }) {
  const select = Object.assign(element('select'), { name });
  for (const value of values) select.append(Object.assign(element('option', value), { value }));
  // Any text that the task does not list.
  let other = '?';
  while (values.includes(other)) other += '?';
  select.append(Object.assign(element('option', t.other), { value: other }));
  return select;
}

/** Answers the first hundred rows of a CSV text whose first line names the columns. */
function askRows(text) {
  const [names, ...rows] = cellsOf(text);
  if (names === undefined || rows.length === 0) return;
  ask(
    rows.slice(0, 100).map((cells, i) => ({
      input: Object.fromEntries(names.map((name, column) => [name, cells[column]])),
      caption: t.row(i + 1),
    })),
  );
}

/** The cells of each line of a CSV text (RFC 4180), separated by commas, semicolons or tabs. */
function cellsOf(text) {
  const [first = ''] = text.split('\n', 1);
  const separator = [',', ';', '\t'].reduce((a, b) =>
    first.split(b).length > first.split(a).length ? b : a,
  );
  const lines = [[]];
  const cell = new RegExp(`(?:"((?:[^"]|"")*)"|([^${separator}\\r\\n]*))(${separator}|\\r?\\n|$)`, 'y');
  for (let at = 0; at < text.length; at = cell.lastIndex) {
    cell.lastIndex = at;
    const found = cell.exec(text);
    if (found === null) break;
    const [, quoted, plain, end] = found;
    lines.at(-1).push((quoted ?? plain).replaceAll('""', '"').trim());
    if (end !== separator) lines.push([]);
  }
  return lines.filter((cells) => cells.some((value) => value !== ''));
}
