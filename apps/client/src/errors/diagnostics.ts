import type { WireError } from '@coppice/protocol';
import { PROTOCOL_VERSION } from '@coppice/protocol';
import { language } from '@coppice/ui';
import { session } from '../link/session.ts';

/** Details that help to find the cause, without anything that identifies the person or the data. */
export function diagnostics(error: WireError): string {
  return JSON.stringify(
    {
      code: error.code,
      message: error.message,
      at: new Date().toISOString(),
      protocol: PROTOCOL_VERSION,
      run: session.joined.value?.run ?? null,
      task: session.joined.value?.task.id ?? null,
      connection: session.connection.value,
      activity: session.activity.value,
      backend: session.backend.value,
      speed: session.speed.value,
      lastRound: session.lastRound.value,
      messagesSent: session.sent.value.messages,
      language: language.value,
      browser: navigator.userAgent,
    },
    null,
    2,
  );
}
