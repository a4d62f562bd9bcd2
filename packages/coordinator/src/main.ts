import { CoppiceError } from '@coppice/protocol';
import { adminKeyHelpText, copyHelpText, helpText, readConfig } from './config.ts';
import { startCoordinator } from './coordinator.ts';
import { standardError, standardOutput } from './process/output.ts';
import { print, surviveBrokenStreams } from './process/results.ts';
import { Starter } from './process/starter.ts';
import { makeAdminKey } from './security/make-admin-key.ts';
import { stopOnSignals } from './stop-on-signals.ts';
import { backUp, restore } from './storage/backup.ts';

/** `pnpm start`: reads the configuration, starts, prints its addresses, and stops cleanly on request. */
async function main(): Promise<number | null> {
  surviveBrokenStreams();
  const starter = new Starter();
  const [command, folder] = process.argv.slice(2);
  if (command === 'backup' || command === 'restore') return copy(command, folder);
  if (command === 'admin-key') return adminKey();
  const config = readConfig(process.argv.slice(2), process.env);
  if (config === 'help') return print(helpText());
  const coordinator = await startCoordinator({ config });
  const { url, client, admin } = coordinator;
  standardOutput.write(
    config.json
      ? `${JSON.stringify({ event: 'listening', url, client, admin })}\n`
      : `Coppice is listening.\n\n  Client page  ${client}\n  Admin page   ${admin}\n\n${entryText(config.adminKey, admin)} Stop with Ctrl+C.\n`,
  );
  const renewCertificate = () => {
    try {
      coordinator.renewCertificate();
    } catch (thrown) {
      // Connections keep the certificate there was.
      standardError.write(`${CoppiceError.from(thrown).message}\n`);
    }
  };
  stopOnSignals(coordinator, { starter, ...(config.tlsCert === null ? {} : { hangUp: renewCertificate }) });
  return null;
}

function entryText(configured: string | null, admin: string): string {
  if (configured !== null) return 'The admin link holds the admin key: keep it to yourself.';
  return admin.includes('?key=')
    ? 'The admin link opens once: set a name and a password there, or print another with "pnpm admin-key".'
    : 'Sign in on the admin page with your name and password, or print a one-time link with "pnpm admin-key".';
}

/** `pnpm admin-key`: a one-time link for anyone with access to the data folder, also while the coordinator runs. */
async function adminKey(): Promise<number> {
  const config = readConfig(process.argv.slice(3), process.env);
  if (config === 'help') return print(adminKeyHelpText);
  const { link, days } = await makeAdminKey(config);
  return print(
    config.json
      ? `${JSON.stringify({ event: 'admin-key', admin: link })}\n`
      : `Opens once, for ${days} day, as the owner:\n\n  ${link}\n`,
  );
}

/** `pnpm backup DIR`, `pnpm restore DIR`: take the options of `pnpm start`, which locate the coordinator's data. */
async function copy(command: 'backup' | 'restore', folder: string | undefined): Promise<number> {
  const config = readConfig(process.argv.slice(4), process.env);
  if (folder === undefined || folder.startsWith('-') || config === 'help') {
    const printed = await print(copyHelpText);
    return folder === '--help' || config === 'help' ? printed : 2;
  }
  const { blobs } = await (command === 'backup' ? backUp(config, folder) : restore(folder, config));
  standardOutput.write(
    command === 'backup'
      ? `Backed up to ${folder}: all records, and ${blobs} weights, each read through its checksum.\n`
      : `Restored ${folder}: all records, and ${blobs} weights. Start the coordinator with the same options.\n`,
  );
  return 0;
}

main().then(
  (code) => {
    if (code !== null) process.exitCode = code;
  },
  (thrown: unknown) => {
    const error = CoppiceError.from(thrown);
    standardError.write(`${error.message} [${error.code}]\n`);
    process.exit(error.code === 'config-invalid' ? 2 : 1);
  },
);
