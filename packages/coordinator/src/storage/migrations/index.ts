import { first } from './0001-first.ts';
import { eventsByRun } from './0002-events-by-run.ts';
import { litter } from './0003-litter.ts';
import { admins } from './0004-admins.ts';
import { admission } from './0005-admission.ts';
import { participants } from './0006-participants.ts';
import { lineage } from './0007-lineage.ts';
import { eventData } from './0008-event-data.ts';
import { releases } from './0009-releases.ts';
import { watchedPeriods } from './0010-watched-periods.ts';
import { policies } from './0011-policies.ts';
import { firings } from './0012-firings.ts';
import { weights } from './0013-weights.ts';
import type { Migration } from './migration.ts';

/**
 * In the order of application: the n-th makes version n. A migration that has landed is never edited, only followed by
 * another; for each one `migrate.test.ts` requires a database of the version before it.
 */
export const migrations: readonly Migration[] = [
  first,
  eventsByRun,
  litter,
  admins,
  admission,
  participants,
  lineage,
  eventData,
  releases,
  watchedPeriods,
  policies,
  firings,
  weights,
];
