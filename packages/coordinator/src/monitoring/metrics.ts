import type { Round, RunStatus } from '@coppice/protocol';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Gauges that are read at each scrape. */
export interface MetricsSources {
  connected(): number;
  /** Participants whose traffic is tracked. */
  remembered(): number;
  runs(): readonly { readonly status: RunStatus }[];
  /** Updates that count and are not yet on disk. */
  spoolWaiting(): number;
  /** Events that are not yet on disk. */
  eventsWaiting(): number;
  /** Lost log lines. */
  logLinesLost(): number;
}

/** The coordinator's metrics for Prometheus, served at `GET /metrics`. docs/monitoring.md lists names and labels. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #rounds: Counter<'outcome' | 'reason'>;
  readonly #phases: Histogram<'phase'>;
  readonly #messages: Counter<'name' | 'result'>;
  readonly #bytes: Counter<'direction'>;
  readonly #connectionsRefused: Counter<'reason'>;

  constructor(sources: MetricsSources) {
    const registers = [this.#registry];
    // The process itself: CPU, memory, open files, garbage collection, event-loop lag.
    collectDefaultMetrics({ register: this.#registry });
    this.#rounds = new Counter({
      name: 'coppice_rounds_total',
      help: 'Rounds that ended, by outcome and, for abandoned ones, the code of the reason.',
      labelNames: ['outcome', 'reason'],
      registers,
    });
    this.#phases = new Histogram({
      name: 'coppice_round_phase_seconds',
      help: 'Time that committed rounds spent in each phase.',
      labelNames: ['phase'],
      buckets: [0.001, 0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 1800],
      registers,
    });
    this.#messages = new Counter({
      name: 'coppice_messages_total',
      help: 'Messages of participants, by name and by what they were answered: "ok" or an error code.',
      labelNames: ['name', 'result'],
      registers,
    });
    this.#bytes = new Counter({
      name: 'coppice_round_bytes_total',
      help: 'Bytes through the sockets of cohorts, by direction as the participants see it.',
      labelNames: ['direction'],
      registers,
    });
    this.#connectionsRefused = new Counter({
      name: 'coppice_connections_refused_total',
      help: 'Sockets that were not let in, by reason: an error code, or "origin-refused".',
      labelNames: ['reason'],
      registers,
    });
    gauge('coppice_participants_connected', 'Open participant connections.', () => sources.connected());
    gauge(
      'coppice_participants_remembered',
      'Participants whose traffic is counted: connected, or in a run that goes on.',
      () => sources.remembered(),
    );
    gauge('coppice_spool_waiting', 'Updates counted and not yet on disk.', () => sources.spoolWaiting());
    gauge('coppice_events_waiting', 'Events not yet on disk.', () => sources.eventsWaiting());
    new Counter({
      name: 'coppice_log_lines_lost_total',
      help: 'Log lines that could not be written: a full disk, a closed pipe or terminal, a reader that stopped reading.',
      registers,
      collect() {
        this.reset();
        this.inc(sources.logLinesLost());
      },
    });
    const runs = new Gauge({
      name: 'coppice_runs',
      help: 'Runs, by status.',
      labelNames: ['status'],
      registers,
      collect() {
        runs.reset();
        for (const { status } of sources.runs()) runs.inc({ status });
      },
    });

    function gauge(name: string, help: string, value: () => number): void {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value());
        },
      });
    }
  }

  /** Counts an answered message of a participant. */
  answered(name: string, result: string): void {
    this.#messages.inc({ name, result });
  }

  /** Counts a refused socket. */
  connectionRefused(reason: string): void {
    this.#connectionsRefused.inc({ reason });
  }

  /** Counts a round that ended; open rounds and late amendments are ignored. */
  roundEnded({ outcome, reason, phases, bytesUp, bytesDown }: Round): void {
    this.#rounds.inc({ outcome, reason: reason?.code ?? '' });
    this.#bytes.inc({ direction: 'up' }, bytesUp);
    this.#bytes.inc({ direction: 'down' }, bytesDown);
    if (outcome !== 'committed') return;
    for (const [phase, milliseconds] of Object.entries(phases)) {
      this.#phases.observe({ phase }, milliseconds / 1000);
    }
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
