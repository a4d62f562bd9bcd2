import {
  type Firing,
  FiringsSchema,
  type PeriodSummary,
  PeriodSummarySchema,
  type PolicyInfo,
  PolicyInfoSchema,
  type PutPolicy,
  parseMessage,
  type ReleaseReference,
  ReleaseReferenceSchema,
  type WatchedPeriod,
  WatchedPeriodSchema,
  type WatchInfo,
  WatchInfoSchema,
} from '@coppice/protocol';
import { call, list } from './api.ts';

/* The part of the API by which tasks are monitored and updated. Errors as in `api.ts`. */

/** Newest first. @param page.before left out: from the newest on. @param page.limit left out: a year of days. */
export async function fetchSummaries(
  task: string,
  page: { before?: number; limit?: number } = {},
): Promise<PeriodSummary[]> {
  const query = Object.entries(page).map(([name, value]) => `&${name}=${value}`);
  const answer = await call('GET', `/api/tasks/${task}/drift?summary=1${query.join('')}`);
  return list(answer).map((one) => parseMessage('period', PeriodSummarySchema, one));
}

/** One period with its distributions; null where it is not stored. */
export async function fetchPeriod(task: string, period: number): Promise<WatchedPeriod | null> {
  const answer = await call('GET', `/api/tasks/${task}/drift?before=${period + 1}&limit=1`);
  const [found] = list(answer).map((one) => parseMessage('period', WatchedPeriodSchema, one));
  return found?.period === period ? found : null;
}

export async function fetchWatch(task: string): Promise<WatchInfo> {
  return parseMessage('watch', WatchInfoSchema, await call('GET', `/api/tasks/${task}/watch`));
}

/** The reference of a release. @throws CoppiceError also `not-found` */
export async function fetchReference(task: string, release: number): Promise<ReleaseReference['reference']> {
  const answer = await call('GET', `/api/tasks/${task}/references/${release}`);
  return parseMessage('reference', ReleaseReferenceSchema, answer).reference;
}

export async function fetchPolicy(task: string): Promise<PolicyInfo> {
  return parseMessage('policy', PolicyInfoSchema, await call('GET', `/api/tasks/${task}/policy`));
}

export async function putPolicy(task: string, put: PutPolicy): Promise<PolicyInfo> {
  return parseMessage('policy', PolicyInfoSchema, await call('PUT', `/api/tasks/${task}/policy`, put));
}

/** Newest first. @param before number of a firing: the page holds those before it. */
export async function fetchFirings(task: string, before?: number): Promise<Firing[]> {
  const query = before === undefined ? '' : `?before=${before}`;
  return parseMessage('firings', FiringsSchema, await call('GET', `/api/tasks/${task}/firings${query}`));
}

export async function fire(task: string): Promise<void> {
  await call('POST', `/api/tasks/${task}/firings`, {});
}
