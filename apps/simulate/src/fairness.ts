import { type Task, targetError } from '@coppice/protocol';
import type { ClientMeasure } from './client-messages.ts';

/** How well the last model serves each client. */
export interface Fairness {
  /** `held-out`: on the examples that a client never trained on; `own`: on all of its own, where it holds none out. */
  readonly on: 'held-out' | 'own';
  /** Accuracy, 0–1; or the root mean square error in the unit of the target. */
  readonly measure: 'accuracy' | 'error';
  /** Over clients, each counted once. */
  readonly mean: number;
  /** Over clients, each by its examples. */
  readonly weightedMean: number;
  /** Mean over the tenth of the clients that are served worst, one at least; and over the tenth served best. */
  readonly worstTenth: number;
  readonly bestTenth: number;
  /** Population standard deviation over clients. */
  readonly spread: number;
  readonly clients: readonly { readonly client: number; readonly examples: number; readonly value: number }[];
}

/**
 * Summarises a model's figures over clients, as q-FedAvg's evaluation does (Li et al., "Fair Resource Allocation in
 * Federated Learning", 2020).
 *
 * @returns `null` where no client has a figure.
 */
export function fairness(
  measures: readonly ClientMeasure[],
  { task, on }: { readonly task: Pick<Task, 'data' | 'loss'>; readonly on: Fairness['on'] },
): Fairness | null {
  const isError = measures.every(({ metrics }) => metrics.accuracy === null);
  const clients = measures.flatMap(({ client, metrics }) => {
    const value = isError ? targetError(metrics, task) : metrics.accuracy;
    return value === null || !Number.isFinite(value) ? [] : [{ client, examples: metrics.examples, value }];
  });
  if (clients.length === 0) return null;
  const worstFirst = clients.map(({ value }) => value).sort((a, b) => (isError ? b - a : a - b));
  const tenth = Math.max(1, Math.floor(clients.length / 10));
  const mean = meanOf(worstFirst);
  const examples = clients.reduce((sum, one) => sum + one.examples, 0);
  return {
    on,
    measure: isError ? 'error' : 'accuracy',
    mean,
    weightedMean: clients.reduce((sum, one) => sum + one.value * one.examples, 0) / examples,
    worstTenth: meanOf(worstFirst.slice(0, tenth)),
    bestTenth: meanOf(worstFirst.slice(-tenth)),
    spread: Math.sqrt(meanOf(worstFirst.map((value) => (value - mean) ** 2))),
    clients,
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
