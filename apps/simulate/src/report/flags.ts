/** The flags of a simulation, as used; keys in camelCase or kebab-case. */
export type Flags = Readonly<Record<string, string | number | boolean | null>>;

/** These say how the result is told, not what it is; a report does not hold them. */
const output = new Set(['json', 'report', 'help']);
/** These do not change the result either; a report holds them, the command line to repeat does not. */
const beside = new Set(['processes']);

/**
 * The flags by the names the command line gives them, without what a report must not hold: the admin
 * key, a password in the coordinator's address, and where on this machine the report was written.
 */
export function publicFlags(options: Flags): Flags {
  const entries = Object.entries(options)
    .map(([name, value]) => [kebab(name), value] as const)
    .filter(([name]) => name !== 'admin-key' && !output.has(name))
    .map(([name, value]) => [name, name === 'url' ? withoutPassword(value) : value] as const);
  return Object.fromEntries(entries);
}

/**
 * The command line that repeats a simulation, quoted for a POSIX shell, in pieces that belong on one
 * line: the command, then each flag with its value. Flags that were not set are left out.
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

/** The same on one line. */
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
