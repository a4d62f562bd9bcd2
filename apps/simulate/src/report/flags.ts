/** The flags of a simulation, as used; keys in camelCase or kebab-case. */
export type Flags = Readonly<Record<string, string | number | boolean | null>>;

/** Flags of the output format, which a report leaves out. */
const output = new Set(['json', 'report', 'help', 'data-dir']);
const secret = new Set(['admin-key', 'invitation']);
/** Flags without effect on the result: a report keeps them, the command line to repeat leaves them out. */
const beside = new Set(['processes']);

/**
 * The flags by their names on the command line, without the ones that a report must not hold: secrets, a password
 * in the coordinator's URL, and the report's location on this machine.
 */
export function publicFlags(options: Flags): Flags {
  const entries = Object.entries(options)
    .map(([name, value]) => [kebab(name), value] as const)
    .filter(([name]) => !secret.has(name) && !output.has(name))
    .map(([name, value]) => [name, name === 'url' ? withoutPassword(value) : value] as const);
  return Object.fromEntries(entries);
}

/**
 * The command line that repeats a simulation, quoted for a POSIX shell, in pieces that belong on one line: the command,
 * then each flag with its value. Unset flags are left out.
 */
export function repeatWords(options: Flags): readonly string[] {
  const given = Object.entries(publicFlags(options)).filter(
    ([name, value]) => !beside.has(name) && value !== null && value !== false,
  );
  return [
    'pnpm simulate',
    ...given.map(([name, value]) => (value === true ? `--${name}` : `--${name} ${shellWord(String(value))}`)),
  ];
}

/** As `repeatWords`, on one line. */
export function repeatCommand(options: Flags): string {
  return repeatWords(options).join(' ');
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function withoutPassword(value: Flags[string]): Flags[string] {
  if (typeof value !== 'string' || !URL.canParse(value)) return value;
  const url = new URL(value);
  if (url.username === '' && url.password === '') return value;
  url.username = '';
  url.password = '';
  return url.href;
}
