import { CoppiceError } from '@coppice/protocol';
import { helpText, readConfig } from './config.ts';
import { startCoordinator } from './coordinator.ts';
import { stopOnSignals } from './stop-on-signals.ts';

/** `pnpm start`: reads the configuration, starts, says where, and stops cleanly on SIGINT and SIGTERM. */
async function main(): Promise<number | null> {
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
