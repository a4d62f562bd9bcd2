import { type PlanField, planDescription } from '../packages/protocol/src/index.ts';

const intro = `# The fields of a plan

<!-- Written by \`pnpm write-docs\` from packages/protocol/src/plan. Edit the fields there. -->

A plan says how a run trains. In the API it is one flat object: \`POST /api/runs\` takes any of these fields in \`plan\`, the task's defaults come next, and the
general defaults below fill the rest. \`pnpm simulate\` takes each field as a flag, with defaults of its own for some (\`--help\`). A field that is unknown, or belongs to another strategy than the plan's, is refused by
name. \`none\` is \`null\` in JSON.
`;

const header = ['field', 'flag', 'values', 'default', 'meaning'];

/** The content of docs/plan.md: a table of the fields per section, and the capabilities that plans require. */
export function planPage(): string {
  const sections = planDescription.sections.map(
    ({ title, names }) => `## ${title.en}\n\n${table([header, ...names.map(row)])}`,
  );
  return [intro, ...sections, required].join('\n');
}

/** A Markdown table of a header and rows, its columns padded like the formatter's. */
function table([head = [], ...body]: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...body].map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  return [head, widths.map((width) => '-'.repeat(width)), ...body].map(line).join('');
}

function row(name: string): readonly string[] {
  const { help, consequence, unit } = planDescription.fields[name] as PlanField;
  const owners = planDescription.strategiesOf(name);
  const { name: flag, takes } = planDescription.flagOf(name);
  const only =
    owners === null || owners.length === strategies()
      ? []
      : [`Only with the strategy ${owners.map(code).join(' or ')}.`];
  const meaning = [help.en, consequence.en, ...only].join(' ');
  const values = [valuesOf(name), ...(unit === undefined ? [] : [`(${unit.en})`])].join(' ');
  return [code(name), code(`--${flag} ${takes}`), values, defaultsOf(name), meaning];
}

function valuesOf(name: string): string {
  const { input } = planDescription.fields[name] as PlanField;
  if (input.kind === 'choice') {
    return input.options
      .map(({ value, help }) => (help === undefined ? code(value) : `${code(value)}: ${help.en}`))
      .reduce((all, option) => `${all}${all.endsWith('.') ? '' : ','} ${option}`);
  }
  const { min, max, step, open = false, optional = false } = input;
  const kind = step === 1 ? 'whole number' : 'number';
  return `${kind} ${open ? 'above' : 'from'} ${min} to ${max}${optional ? ', or none' : ''}`;
}

/** The number of strategies. */
function strategies(): number {
  const { input } = planDescription.fields['strategy'] as PlanField;
  return input.kind === 'choice' ? input.options.length : 0;
}

function defaultsOf(name: string): string {
  const owners = planDescription.strategiesOf(name);
  const write = (strategy: string) => String(planDescription.fieldOf(name, strategy)?.default ?? 'none');
  const general = write(owners?.[0] ?? 'fedavg');
  if (owners === null || owners.every((strategy) => write(strategy) === general)) return general;
  return owners.map((strategy) => `${write(strategy)} with ${code(strategy)}`).join(', ');
}

function code(text: string): string {
  return `\`${text}\``;
}

const required = `## Required capabilities

\`requiresOf\` gives the names of the capabilities that a participant must have to take part under a plan. Values that change nothing on the
participant, and the defaults, require none.

${table([
  ['name', 'required by values of'],
  ...[...planDescription.capabilities()].map(([name, fields]) => [code(name), fields.map(code).join(', ')]),
])}`;
