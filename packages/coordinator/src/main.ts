import { CoppiceError } from '@coppice/protocol';
import { copyHelpText, helpText, readConfig } from './config.ts';
import { startCoordinator } from './coordinator.ts';
import { stopOnSignals } from './stop-on-signals.ts';
import { backUp, restore } from './storage/backup.ts';

/** `pnpm start`: reads the configuration, starts, says where, and stops cleanly on SIGINT and SIGTERM. */
async function main(): Promise<number | null> {
  const [command, folder] = process.argv.slice(2);
  if (command === 'backup' || command === 'restore') return copy(command, folder);
  const config = readConfig(process.argv.slice(2), process.env);
  if (config === 'help') {
    process.stdout.write(helpText());
    return 0;
  }
  const coordinator = await startCoordinator({ config });
  const { url, client, admin } = coordinator;
  process.stdout.write(
    config.json
      ? `${JSON.stringify({ event: 'listening', url, client, admin })}\n`
      : `Coppice is listening.\n\n  Client page  ${client}\n  Admin page   ${admin}\n\nThe admin link holds the key: keep it to yourself. Stop with Ctrl+C.\n`,
  );
  stopOnSignals(coordinator);
  return null;
}

/** `pnpm backup DIR`, `pnpm restore DIR`: with the same options as `pnpm start`, which say where the coordinator is. */
async function copy(command: 'backup' | 'restore', folder: string | undefined): Promise<number> {
  const config = readConfig(process.argv.slice(4), process.env);
  if (folder === undefined || folder.startsWith('-') || config === 'help') {
    process.stdout.write(copyHelpText);
    return folder === '--help' || config === 'help' ? 0 : 2;
  }
  const { blobs } = await (command === 'backup' ? backUp(config, folder) : restore(folder, config));
  process.stdout.write(
    command === 'backup'
      ? `Backed up to ${folder}: all records, and ${blobs} files of weights, each read through its checksum.\n`
      : `Restored ${folder}: all records, and ${blobs} files of weights. Start the coordinator with the same options.\n`,
  );
  return 0;
}

main().then(
  (code) => {
    if (code !== null) process.exitCode = code;
  },
  (thrown: unknown) => {
    const error = CoppiceError.from(thrown);
    process.stderr.write(`${error.message} [${error.code}]\n`);
    process.exit(error.code === 'config-invalid' ? 2 : 1);
  },
);
