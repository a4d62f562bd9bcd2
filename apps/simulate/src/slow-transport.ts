import type { Transport } from '@coppice/participant';

/**
 * A connection whose answers leave later, as those of a device that computes more slowly: training takes `slowdown` times
 * as long. Other clients of the thread go on meanwhile.
 *
 * @param slowdown the factor in a round, 1 or more.
 */
export function slowTransport(connection: Transport, slowdown: (round: number) => number): Transport {
  const rounds = new Map<string, number>();
  return {
    open: (events) =>
      connection.open({
        ...events,
        onMessage: (name, message) => {
          if (name === 'ask') {
            const { ticket, round } = message as { ticket: string; round?: number };
            rounds.clear();
            rounds.set(ticket, round ?? 1);
          }
          events.onMessage(name, message);
        },
      }),
    async request(name, message) {
      if (name === 'answer') {
        const { ticket, milliseconds } = message as { ticket: string; milliseconds: number };
        const round = rounds.get(ticket);
        const longer = round === undefined ? 0 : (slowdown(round) - 1) * milliseconds;
        if (longer > 0) await new Promise((resolve) => setTimeout(resolve, longer));
      }
      return connection.request(name, message);
    },
    send: (name, message) => connection.send(name, message),
    get traffic() {
      return connection.traffic;
    },
    close: () => connection.close(),
  };
}
